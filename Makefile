.PHONY: check test race demo bugs fuzz

check:  ## all that CI asks for but for the race detector
	test -z "$$(gofmt -l .)"
	go vet ./...
	GOOS=darwin go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	go test ./...

race:   ## the tests with the race detector, without the longest
	go test -race -short ./...

demo:   ## a bug, found
	go run ./cmd/fallacy run refstore/register --bug stale-read --time 10s

bugs:   ## the table of planted bugs, about twenty minutes
	go run ./cmd/fallacy selftest

fuzz:   ## a minute for each parser
	go test -fuzz FuzzParseOp -fuzztime 1m .
