package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The variants of a program, of which the first two are built.
const (
	plain     = "plain"
	marked    = "marked"
	reporting = "reporting" // the marked one, with SCAVENGER_DATA_DIR
)

// An outcome is what a run of a program showed.
type outcome struct {
	stdout, stderr, status string
	inits                  []initTask
	raw                    string // stdout as it was
}

// An initTask is the initialisation of a package, as GODEBUG=inittrace=1 shows
// it. How much it allocates depends on what the allocator has at hand, and on
// what the runtime allocates for itself meanwhile; whether it does says that a
// variable is made which the compiler has laid out in the other program.
type initTask struct {
	pkg       string
	allocates bool
}

var initLine = regexp.MustCompile(`init (\S+) @[0-9.]+ ms, [0-9.]+ ms clock, [0-9]+ bytes, ([0-9]+) allocs\n`)

// notSame is what is not the same in two builds of a program, or two runs, and
// says nothing about it.
var notSame = []struct {
	pattern *regexp.Regexp
	instead string
}{
	// Addresses of code, data and stacks. A traceback has a ? behind a value that
	// may no longer be good, which is the register allocator's decision.
	{regexp.MustCompile(`0x[0-9a-f]+\??`), "ADDR"},
	// print shows a pointer or a func so; the same.
	{regexp.MustCompile(`\bc0[0-9a-f]{8}\b`), "ADDR"},
	// Goroutines get their numbers in batches for each processor.
	{regexp.MustCompile(`\b(goroutine|goid=|g=|m=|gp=|mp=) ?[0-9]+`), "$1 N"},
	// Directories that a program makes for itself.
	{regexp.MustCompile(regexp.QuoteMeta(os.TempDir()) + `/[^\s:"]*`), "TEMP"},
	// How long something took.
	{regexp.MustCompile(`\b[0-9]+(\.[0-9]+)?(ns|µs|ms|s)\b`), "TIME"},
}

func normalise(text string) string {
	for _, n := range notSame {
		text = n.pattern.ReplaceAllString(text, n.instead)
	}
	return text
}

// run runs a variant of the program under a name and in a directory that are the
// same for all variants.
func (o *options) run(ctx context.Context, s *subject, variant string) (*outcome, error) {
	built := variant
	if variant == reporting {
		built = marked
	}
	binary := filepath.Join(o.dir, built, s.binary())
	name := filepath.Join(o.dir, "run", s.binary())
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return nil, err
	}
	if err := os.Rename(binary, name); err != nil {
		return nil, err
	}
	defer func() { _ = os.Rename(name, binary) }()
	limited, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	cmd := exec.CommandContext(limited, name, s.args...)
	cmd.Dir = filepath.Join(o.goroot, "test")
	cmd.WaitDelay = 2 * time.Second // for what its children hold open
	cmd.Env = append(o.cleanEnv(), "PWD="+cmd.Dir)
	if variant == reporting {
		cmd.Env = append(cmd.Env, "SCAVENGER_DATA_DIR="+o.dataDirOf(s))
	}
	cmd.Env = append(cmd.Env, s.env...)
	if s.traced(o) {
		cmd.Env = append(cmd.Env, "GODEBUG=inittrace=1")
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case limited.Err() != nil:
		return &outcome{status: fmt.Sprintf("no end in %v", o.limit)}, nil
	case err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay):
		return nil, err
	}
	result := &outcome{stdout: normalise(stdout.String()), raw: stdout.String(), status: cmd.ProcessState.String()}
	for _, m := range initLine.FindAllStringSubmatch(stderr.String(), -1) {
		result.inits = append(result.inits, initTask{m[1], m[2] != "0"})
	}
	result.stderr = normalise(initLine.ReplaceAllString(stderr.String(), ""))
	return result, nil
}

func (o *options) dataDirOf(s *subject) string {
	return filepath.Join(o.dir, "data", s.pkgName())
}

// traced reports whether the program says what it initialises. One that starts
// others would hand it on to them, and may read what they print.
func (s *subject) traced(o *options) bool {
	text, err := os.ReadFile(filepath.Join(o.goroot, "test", filepath.FromSlash(s.name)+".go"))
	return err != nil || !bytes.Contains(text, []byte(`"os/exec"`)) &&
		!slices.ContainsFunc(s.env, func(v string) bool { return strings.HasPrefix(v, "GODEBUG=") })
}

// diff returns how an outcome differs from what is wanted, or "" if it does not.
func (want *outcome) diff(got *outcome) string {
	switch {
	case got.status != want.status:
		return fmt.Sprintf("status: %s, want %s; it printed %s", got.status, want.status, firstLine(got.stderr+got.stdout))
	case got.stdout != want.stdout:
		return "stdout: " + firstDifference(got.stdout, want.stdout)
	case got.stderr != want.stderr:
		return "stderr: " + firstDifference(got.stderr, want.stderr)
	}
	return want.diffInits(got)
}

// markedMain is what the initialisation of a marked main package takes that has
// nothing to initialise: the compiler adds a call to runtime/coverage.initHook,
// which is empty. It is the last one of all in any case.
var markedMain = initTask{"main", false}

// diffInits compares what was initialised. A marked program has more packages
// of the standard library, which must not move those that the plain one has.
func (want *outcome) diffInits(got *outcome) string {
	wanted := map[string]initTask{}
	for _, t := range want.inits {
		wanted[t.pkg] = t
	}
	var order []string
	for _, t := range got.inits {
		p, ok := wanted[t.pkg]
		own := t.pkg == "main" || strings.HasPrefix(t.pkg, modulePath+"/")
		switch {
		case !ok && t == markedMain:
		case !ok && own:
			return fmt.Sprintf("init: %s has an initialisation", t.pkg)
		case own && p != t:
			return fmt.Sprintf("init: allocates in %s: %t, want %t", t.pkg, t.allocates, p.allocates)
		case ok:
			order = append(order, t.pkg)
		}
	}
	for i, t := range want.inits {
		if i >= len(order) || order[i] != t.pkg {
			return fmt.Sprintf("init: %s is not the one after %v", t.pkg, order[:i])
		}
	}
	return ""
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return fmt.Sprintf("%.200q", line)
}

// firstDifference shows the first line that is not the same.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	i := 0
	for i < len(g) && i < len(w) && g[i] == w[i] {
		i++
	}
	at := func(lines []string) string {
		if i >= len(lines) {
			return "the end"
		}
		return firstLine(lines[i])
	}
	return fmt.Sprintf("line %d is %s, want %s", i+1, at(g), at(w))
}
