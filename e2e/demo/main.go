// Demo shows scavenger-wrap at work on a real program, without a server:
//
//	go run ./e2e/demo
//
// It fetches fzf, the fuzzy finder, through the module proxy, builds it with
// -toolexec=scavenger-wrap, lets it filter fzf's own source for a few queries,
// and prints which of its functions were never called and the beginning of a plan to
// delete them. The same as a page for a browser is what it leaves behind. All else
// happens in a temporary directory, and fzf's source is checked to be unchanged.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

const module = "github.com/junegunn/fzf@v0.65.2"

// queries are fzf command lines; each is a process of its own.
var queries = [][]string{
	{"--filter=scoring"},
	{"--filter=^func !test", "--no-sort"},
	{"--filter='ansi | reader$", "--nth=2..", "--delimiter=:"},
	{"--filter=mtchr", "--algo=v1", "--tac", "--print0"},
	{"--version"},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "scavenger-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	d := demo{dir: dir, data: filepath.Join(dir, "data"), start: time.Now()}
	d.step("building scavenger-wrap from this checkout")
	if d.wrapper, err = program.BuildWrapper(ctx, dir); err != nil {
		return err
	}
	d.step("fetching %s", module)
	if d.fzf, err = program.Fetch(ctx, module, filepath.Join(dir, "fzf")); err != nil {
		return err
	}
	if err := d.observe(ctx); err != nil {
		return err
	}
	return d.show(ctx)
}

// A demo is one demonstration.
type demo struct {
	dir, data string
	start     time.Time
	wrapper   string // scavenger-wrap
	fzf       *program.Program
}

// step says what comes next.
func (d *demo) step(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "[%5.1fs] %s\n", time.Since(d.start).Seconds(), fmt.Sprintf(format, args...))
}

// observe builds fzf with marks and asks it the queries. The source of fzf does not change.
func (d *demo) observe(ctx context.Context) error {
	before, err := d.fzf.Checksum()
	if err != nil {
		return err
	}
	d.step("go build -toolexec=scavenger-wrap .")
	binary := filepath.Join(d.dir, "fzf-marked"+program.ExeSuffix())
	if err := d.fzf.Build(ctx, "-toolexec="+d.wrapper, "-o", binary, "."); err != nil {
		return err
	}
	for _, query := range queries {
		d.step("SCAVENGER_DATA_DIR=data fzf %q", query)
		if err := filter(ctx, binary, d.fzf.Dir, d.data, query); err != nil {
			return err
		}
	}
	after, err := d.fzf.Checksum()
	if err != nil {
		return err
	}
	if before != after {
		return errors.New("the build changed the program's source")
	}
	d.step("fzf's source is unchanged (%.12s); scavenger-wrap report data", after)
	return nil
}

// show prints the report and the beginning of the plan, and writes the plan's page.
func (d *demo) show(ctx context.Context) error {
	report := exec.CommandContext(ctx, d.wrapper, "report", d.data)
	report.Stdout, report.Stderr = os.Stdout, os.Stderr
	if err := report.Run(); err != nil {
		return err
	}
	d.step("scavenger-wrap plan . data, which begins")
	text, err := d.plan(ctx, d.data)
	if err != nil {
		return err
	}
	fmt.Print(beginning(string(text)))
	d.step("scavenger-wrap plan --format=html . data")
	page, err := os.CreateTemp("", "scavenger-demo-*.html")
	if err != nil {
		return err
	}
	if err := page.Close(); err != nil {
		return err
	}
	if _, err := d.plan(ctx, "--format=html", "--output="+page.Name(), d.data); err != nil {
		return err
	}
	d.step("open it in a browser:")
	fmt.Println(page.Name())
	return nil
}

// plan runs scavenger-wrap plan in fzf's module, and returns what it prints.
func (d *demo) plan(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, d.wrapper, append([]string{"plan"}, args...)...)
	cmd.Dir, cmd.Stderr = d.fzf.Dir, os.Stderr
	return cmd.Output()
}

// beginning returns a plan's text up to some entries.
func beginning(text string) string {
	const entries, entryLines = 5, 2
	before, after, found := strings.Cut(text, "ENTRY\n")
	if !found {
		return text
	}
	lines := strings.SplitAfter(after, "\n")
	return before + "ENTRY\n" + strings.Join(lines[:min(len(lines), entries*entryLines)], "") + "…\n"
}

// filter runs fzf over all of its own Go source.
func filter(ctx context.Context, binary, source, data string, args []string) error {
	files, err := filepath.Glob(filepath.Join(source, "src", "*.go"))
	if err != nil {
		return err
	}
	var input bytes.Buffer
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		input.Write(text)
	}
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append(os.Environ(), "SCAVENGER_DATA_DIR="+data)
	cmd.Stdin = &input
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("fzf %q: %w", args, err)
	}
	if len(out) == 0 {
		return fmt.Errorf("fzf %q: no output", args)
	}
	return nil
}
