package results

import (
	"bufio"

	"github.com/parquet-go/parquet-go"

	"github.com/fallacy-dev/fallacy"
)

// parquetOp is a row of a history in Parquet: the columns of the table that CSV
// has, under the same names, typed. Key and value of an operation on a key are
// apart as well, so that a query need not read JSON.
type parquetOp struct {
	Index   int64   `parquet:"index,delta"`
	Time    int64   `parquet:"time_ns,delta"`
	Process int64   `parquet:"process"` // -1: a nemesis
	Nemesis *string `parquet:"nemesis,optional,dict"`
	Type    string  `parquet:"type,dict"`
	F       string  `parquet:"f,dict"`
	Value   *string `parquet:"value,optional"` // as JSON
	Key     *string `parquet:"key,optional,dict"`
	Int     *int64  `parquet:"int,optional"` // the value, or the value of the key, where it is a number
	Error   *string `parquet:"error,optional,dict"`
	Node    *string `parquet:"node,optional,dict"`
	UTC     *int64  `parquet:"utc,optional,timestamp(microsecond)"` // when that was, where it is known when the run began
}

// parquetBatch is how many rows are handed over at once, and groupMax how many
// one group has: they are held in memory.
const (
	parquetBatch = 4096
	groupMax     = 1 << 18
)

// writeParquet writes a history for DuckDB, pandas and the like.
func writeParquet(w *bufio.Writer, run Run, h fallacy.History) error {
	out := parquet.NewGenericWriter[parquetOp](w, parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(groupMax), parquet.CreatedBy("fallacy", "", ""))
	rows := make([]parquetOp, 0, parquetBatch)
	for i := range h {
		row := parquetRow(&h[i])
		if !run.Epoch.IsZero() {
			at := run.Epoch.Add(h[i].Time).UnixMicro()
			row.UTC = &at
		}
		rows = append(rows, row)
		if len(rows) < parquetBatch && i+1 < len(h) {
			continue
		}
		if _, err := out.Write(rows); err != nil {
			return err
		}
		rows = rows[:0]
	}
	return out.Close()
}

func parquetRow(op *fallacy.Op) parquetOp {
	row := parquetOp{
		Index: int64(op.Index), Time: int64(op.Time), Process: int64(op.Process), Nemesis: orNull(op.Nemesis),
		Type: op.Type.String(), F: op.F, Error: orNull(op.Error), Node: orNull(op.Node),
	}
	v := op.Value
	if !v.IsNil() {
		row.Value = orNull(v.String())
	}
	if key, arg, ok := v.Tuple(); ok && op.IsClient() {
		if name := plain(key); key.Kind() == fallacy.KindString || key.Kind() == fallacy.KindInt {
			row.Key, v = &name, arg
		}
	}
	if n, ok := v.Int(); ok {
		n := int64(n)
		row.Int = &n
	}
	return row
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
