// Bench measures what scavenger-wrap costs, always as a ratio to the plain
// build side by side:
//
//	go run ./e2e/bench runtime     what marks cost at run time, beside go build -cover
//	go run ./e2e/bench runtime -h
//
// What it measures with is fetched through the module proxy. Tables go to
// standard output as Markdown; docs/performance.md holds the latest.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch name := append(os.Args, "")[1]; name {
	case "runtime":
		err = runtimeBench(ctx, os.Args[2:])
	default:
		fmt.Fprintln(os.Stderr, "usage: bench runtime [flags]")
		os.Exit(2)
	}
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
