// Command duckdb asks DuckDB about a history that was exported as Parquet:
//
//	fallacy export runs/latest --format parquet > history.parquet
//	go run . history.parquet 'SELECT f, type, count(*) FROM history GROUP BY ALL'
//
// The table is called history. Rows are printed as JSON, a line each. Without a
// query it tells how long operations took, by function.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	_ "github.com/duckdb/duckdb-go/v2"
)

// latencies joins each invocation to the completion that follows it in its process.
const latencies = `
	SELECT f, type, count(*) AS calls,
		round(quantile_cont(took, 0.5) / 1e6, 3) AS half_ms,
		round(quantile_cont(took, 0.99) / 1e6, 3) AS p99_ms
	FROM (
		SELECT f, lead(type) OVER process AS type, lead(time_ns) OVER process - time_ns AS took, type AS began
		FROM history WHERE nemesis IS NULL
		WINDOW process AS (PARTITION BY process ORDER BY index)
	)
	WHERE began = 'invoke' AND type IS NOT NULL
	GROUP BY ALL ORDER BY ALL`

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "duckdb:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	if len(args) == 0 {
		return errors.New("name a Parquet file, and queries of the table history")
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	quoted := strings.ReplaceAll(args[0], "'", "''")
	if _, err := db.ExecContext(ctx, "CREATE VIEW history AS SELECT * FROM read_parquet('"+quoted+"')"); err != nil {
		return fmt.Errorf("read %s: %w", args[0], err)
	}
	queries := args[1:]
	if len(queries) == 0 {
		queries = []string{latencies}
	}
	for _, q := range queries {
		if err := ask(ctx, db, q, out); err != nil {
			return fmt.Errorf("ask %q: %w", q, err)
		}
	}
	return nil
}

// ask prints what a query comes to.
func ask(ctx context.Context, db *sql.DB, query string, out io.Writer) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	lines := json.NewEncoder(out)
	for rows.Next() {
		cells, row := make([]any, len(names)), make(map[string]any)
		for i := range cells {
			cells[i] = new(any)
		}
		if err := rows.Scan(cells...); err != nil {
			return err
		}
		for i, name := range names {
			row[name] = *cells[i].(*any)
		}
		if err := lines.Encode(row); err != nil {
			return err
		}
	}
	return rows.Err()
}
