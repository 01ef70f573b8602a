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
	start := time.Now()
	step := func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "[%5.1fs] %s\n", time.Since(start).Seconds(), fmt.Sprintf(format, args...))
	}

	step("building scavenger-wrap from this checkout")
	wrapper, err := program.BuildWrapper(ctx, dir)
	if err != nil {
		return err
	}
	step("fetching %s", module)
	fzf, err := program.Fetch(ctx, module, filepath.Join(dir, "fzf"))
	if err != nil {
		return err
	}
	before, err := fzf.Checksum()
	if err != nil {
		return err
	}
	step("go build -toolexec=scavenger-wrap .")
	binary := filepath.Join(dir, "fzf-marked"+program.ExeSuffix())
	if err := fzf.Build(ctx, "-toolexec="+wrapper, "-o", binary, "."); err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	for _, query := range queries {
		step("SCAVENGER_DATA_DIR=data fzf %q", query)
		if err := filter(ctx, binary, fzf.Dir, data, query); err != nil {
			return err
		}
	}
	after, err := fzf.Checksum()
	if err != nil {
		return err
	}
	if before != after {
		return errors.New("the build changed the program's source")
	}
	step("fzf's source is unchanged (%.12s); scavenger-wrap report data", after)
	report := exec.CommandContext(ctx, wrapper, "report", data)
	report.Stdout, report.Stderr = os.Stdout, os.Stderr
	if err := report.Run(); err != nil {
		return err
	}
	step("scavenger-wrap plan . data, which begins")
	text, err := plan(ctx, wrapper, fzf.Dir, data)
	if err != nil {
		return err
	}
	fmt.Print(beginning(string(text)))
	step("scavenger-wrap plan --format=html . data")
	page, err := os.CreateTemp("", "scavenger-demo-*.html")
	if err != nil {
		return err
	}
	if err := page.Close(); err != nil {
		return err
	}
	if _, err := plan(ctx, wrapper, fzf.Dir, "--format=html", "--output="+page.Name(), data); err != nil {
		return err
	}
	step("open it in a browser:")
	fmt.Println(page.Name())
	return nil
}

// plan runs scavenger-wrap plan in a module, and returns what it prints.
func plan(ctx context.Context, wrapper, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, wrapper, append([]string{"plan"}, args...)...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
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
