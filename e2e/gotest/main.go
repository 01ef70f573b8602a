// Gotest shows on Go's own test programs that the marked program is the same
// program:
//
//	go run ./e2e/gotest                          all of them, which takes most of an hour
//	go run ./e2e/gotest fixedbugs/issue22881     some
//	go run ./e2e/gotest -list
//
// They are the programs of $GOROOT/test that run: `// run`, `// rundir`,
// `// runoutput` and their kin, with the flags and arguments that stand there.
// Each is built and run plain and marked, and must print the same, end with the
// same status, and initialise the same packages in the same order. A line is
// printed for each that does not, and for each that cannot tell since it is not
// the same from run to run; the exit status is 1 if one is different.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// options say how programs are built and run.
type options struct {
	closures bool          // build with closures = true
	dataDir  bool          // run marked programs also with SCAVENGER_DATA_DIR
	parallel int           // how many run at the same time
	limit    time.Duration // for one run
	dir      string        // where sources and binaries go
	wrapper  string        // the scavenger-wrap to build with
	goroot   string
}

func main() {
	o := options{}
	list := flag.Bool("list", false, "list the programs")
	sampled := flag.Bool("sample", false, "take the programs that go test -run Sample takes")
	verbose := flag.Bool("v", false, "name the programs that do not build, with the reason")
	keep := flag.String("dir", "", "lay the programs out in `directory` and leave them there")
	flag.BoolVar(&o.closures, "closures", false, "build with closures = true")
	flag.BoolVar(&o.dataDir, "dataDir", false, "run marked programs once more, reporting to a directory")
	flag.IntVar(&o.parallel, "p", runtime.NumCPU(), "run `n` programs at the same time")
	flag.DurationVar(&o.limit, "limit", 2*time.Minute, "end a run after that `time`")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: gotest [flags] [name…]")
		flag.PrintDefaults()
	}
	flag.Parse()
	names := flag.Args()
	if *sampled {
		names = append(names, sample...)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, &o, names, *keep, *list, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o *options, names []string, keep string, list, verbose bool) error {
	if err := o.prepare(ctx, keep); err != nil {
		return err
	}
	if keep == "" {
		defer os.RemoveAll(o.dir)
	}
	subjects, err := choose(o.goroot, names)
	if err != nil {
		return err
	}
	if list {
		for _, s := range subjects {
			fmt.Println(s.name)
		}
		return nil
	}
	if o.wrapper, err = program.BuildWrapper(ctx, o.dir); err != nil {
		return err
	}
	count := map[verdict]int{}
	reported := 0
	results, err := compareAll(ctx, o, subjects, func(r result) {
		count[r.verdict]++
		if r.reported {
			reported++
		}
		if r.verdict == different || r.verdict == unstable || r.verdict == notBuilt && verbose {
			fmt.Println(r)
		}
	})
	if err != nil {
		return err
	}
	fmt.Printf("%d programs: %d same, %d unstable, %d not built, %d different\n",
		len(results), count[same], count[unstable], count[notBuilt], count[different])
	if o.dataDir {
		fmt.Printf("%d reported\n", reported)
	}
	if count[different] > 0 {
		return fmt.Errorf("%d programs are different when they are marked", count[different])
	}
	return nil
}

// prepare finds GOROOT and makes the directory to work in.
func (o *options) prepare(ctx context.Context, keep string) (err error) {
	if o.goroot, err = goEnv(ctx, "GOROOT"); err != nil {
		return err
	}
	if keep != "" {
		o.dir = keep
		return os.MkdirAll(keep, 0o777)
	}
	o.dir, err = os.MkdirTemp("", "scavenger-gotest-")
	return err
}
