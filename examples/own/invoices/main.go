// Command invoices gives out invoice numbers over HTTP: 1, 2, 3 and so on, across
// restarts. GET tells the highest so far, POST gives out the next.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address")
	file := flag.String("file", "number", "file with the highest number that is taken")
	block := flag.Int("block", 1, "how many numbers to take at a time: more than 1 is a bug")
	flag.Parse()
	log.Fatal(http.ListenAndServe(*listen, &book{file: *file, block: *block}))
}

type book struct {
	mu    sync.Mutex
	file  string
	block int
	last  int // given out
	taken int // in the file
}

// ServeHTTP answers with a number.
func (b *book) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.turn(r.Method == http.MethodPost); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintln(w, b.last)
}

func (b *book) turn(next bool) error {
	if b.taken == 0 {
		if text, err := os.ReadFile(b.file); err == nil {
			if b.taken, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
				return err
			}
			b.last = b.taken
		}
	}
	if !next {
		return nil
	}
	if b.last == b.taken {
		if err := save(b.file, b.taken+b.block); err != nil {
			return err
		}
		b.taken += b.block
	}
	b.last++
	return nil
}

// save writes the number beside the file, synced, and puts it in its place.
func save(file string, number int) error {
	f, err := os.Create(file + ".new")
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := fmt.Fprintln(f, number); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
