// Bench measures what scavenger-wrap costs, always as a ratio to the plain
// build side by side:
//
//	go run ./e2e/bench runtime     what marks cost at run time, beside go build -cover
//	go run ./e2e/bench evidence    what is left of that with evidence
//	go run ./e2e/bench contention  what cores do to each other's marks
//	go run ./e2e/bench startup     what a program pays at its start, and on disk
//	go run ./e2e/bench servers     what marks cost servers under load
//	go run ./e2e/bench growth      what grows with functions and packages, and how fast
//	go run ./e2e/bench build       what builds cost
//	go run ./e2e/bench peers       what they cost with other tools
//	go run ./e2e/bench wrapper     what a start of scavenger-wrap costs in a build
//	go run ./e2e/bench report      what a report on a large program costs
//	go run ./e2e/bench plan        what a plan costs, beside deadcode
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

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch name := append(os.Args, "")[1]; name {
	case "runtime":
		err = runtimeBench(ctx, os.Args[2:])
	case "evidence":
		err = evidenceBench(ctx, os.Args[2:])
	case "contention":
		err = contentionBench(ctx, os.Args[2:])
	case "startup":
		err = startupBench(ctx, os.Args[2:])
	case "servers":
		err = serversBench(ctx, os.Args[2:])
	case "growth":
		err = growthBench(ctx, os.Args[2:])
	case "build":
		err = buildBench(ctx, os.Args[2:])
	case "peers":
		err = peersBench(ctx, os.Args[2:])
	case "wrapper":
		err = wrapperBench(ctx, os.Args[2:])
	case "report":
		err = reportBench(ctx, os.Args[2:])
	case "cacheprog": // of build, which starts it
		err = cacheProg(append(os.Args, "")[2], os.Stdin, os.Stdout)
	case "plan":
		err = planBench(ctx, os.Args[2:])
	default:
		fmt.Fprintln(os.Stderr, "usage: bench runtime|evidence|contention|startup|servers|growth|build|peers|wrapper|report|plan [flags]")
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

// newWrapper builds scavenger-wrap in a new directory, which is the benchmark's until it
// calls remove.
func newWrapper(ctx context.Context) (dir, wrapper string, remove func(), err error) {
	if dir, err = os.MkdirTemp("", "scavenger-bench-"); err != nil {
		return "", "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) } // what stays is temporary
	if wrapper, err = program.BuildWrapper(ctx, dir); err != nil {
		remove()
	}
	return dir, wrapper, remove, err
}
