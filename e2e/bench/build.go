// What builds cost.
//
// All ways of building a program are measured in turns, each from a copy of the
// same build cache: the one in which a plain build has left the program's
// dependencies and the standard library, but none of its own packages. So in the
// row "switched on", plain compiles the program's own packages.

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// A subject is a program to build.
type subject struct {
	name, module string
	pkg          string // what to build
	edit         string // a file of a package that others of the program import
}

var subjects = []subject{
	{name: "hello", module: "golang.org/x/example/hello@v0.0.0-20250915201037-7f05d217867b", pkg: ".", edit: "reverse/reverse.go"},
	{name: "fzf", module: "github.com/junegunn/fzf@v0.65.2", pkg: ".", edit: "src/algo/algo.go"},
	{name: "badger", module: "github.com/dgraph-io/badger/v4@v4.9.6", pkg: "./badger", edit: "y/checksum.go"},
	{name: "caddy", module: "github.com/caddyserver/caddy/v2@v2.11.9", pkg: "./cmd/caddy", edit: "modules/caddyhttp/vars.go"},
}

// A mode is a way to build.
type mode struct {
	name    string
	tool    string                                               // a package to install; its binary comes before or in place of go
	setup   func(ctx context.Context, tool, source string) error // prepares a copy of the sources, or nil
	command []string
	env     []string
	setting string // changed in the row "setting changed"; "" if it has none
}

// The commands stand before "-o FILE PACKAGE". WRAPPER and TOOL are the binaries; what
// begins with CACHE- is beside the build cache.
var modes = []mode{
	{name: "plain", command: []string{"go", "build"}},
	{name: "-cover", command: []string{"go", "build", "-cover"}},
	{name: "naive", command: []string{"go", "build", "-toolexec=WRAPPER"}, env: []string{"SCAVENGER_PLAIN_CACHE=off"}, setting: "SCAVENGER_EXCLUDE_PACKAGES"},
	{name: "toolexec", command: []string{"go", "build", "-toolexec=WRAPPER"}, setting: "SCAVENGER_EXCLUDE_PACKAGES"},
	{name: "local files", command: []string{"go", "build", "-toolexec=WRAPPER"}, env: []string{"SCAVENGER_NETWORK=false"}, setting: "SCAVENGER_EXCLUDE_PACKAGES"},
	{name: "front-end", command: []string{"WRAPPER", "go", "build"}, setting: "SCAVENGER_EXCLUDE_PACKAGES"},
	{name: "local front-end", command: []string{"WRAPPER", "go", "build"}, env: []string{"SCAVENGER_NETWORK=false"}, setting: "SCAVENGER_EXCLUDE_PACKAGES"},
	garble,
}

var garble = mode{name: "garble", tool: "mvdan.cc/garble@v0.17.0", command: []string{"TOOL", "build"}}

// The rows, in the order in which they are measured.
const (
	rowCold     = "cold"
	rowSwitched = "switched on"
	rowEdited   = "one file edited"
	rowSetting  = "setting changed"
	rowNothing  = "nothing changed"
)

var rows = []string{rowCold, rowSwitched, rowEdited, rowSetting, rowNothing}

// A cost is what one build took.
type cost struct{ cpu, wall time.Duration }

// A bench is one run of the command.
type bench struct {
	dir, wrapper string
	keep         string // where to keep the caches to start from, "" for nowhere
	rounds       int
	rows         []string
	modes        []mode
	tools        map[string]string // by name of the mode
	unavailable  []string          // why modes are left out
	costs        map[[2]string][]cost
	failures     []string
}

func buildBench(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench build", flag.ExitOnError)
	programs := flags.String("programs", strings.Join(names(subjects, subjectName), ","), "programs to build")
	modeNames := flags.String("modes", strings.Join(names(modes, modeName), ","), "ways to build them; plain is needed for ratios")
	rowNames := flags.String("rows", strings.Join(rows, ","), "what to measure, also "+strings.Join(restoredRows, ", ")+"; each of the others but the first needs \""+rowSwitched+"\", which is then measured too")
	keep := flags.String("keep", "", "`directory` for the build caches to start from, so that another run need not fill them")
	rounds := flags.Int("rounds", 3, "builds of each kind; the table has the medians")
	if err := flags.Parse(args); err != nil {
		return err
	}
	b := &bench{keep: *keep, rounds: *rounds, rows: strings.Split(*rowNames, ","), tools: map[string]string{}}
	for _, r := range b.rows {
		if all := slices.Concat(rows, restoredRows); !slices.Contains(all, r) {
			return fmt.Errorf("unknown row %q: want some of %s", r, strings.Join(all, ", "))
		}
	}
	var err error
	if b.modes, err = choose("mode", modes, modeName, *modeNames); err != nil {
		return err
	}
	return b.run(ctx, *programs)
}

func subjectName(s subject) string { return s.name }
func modeName(m mode) string       { return m.name }

func names[T any](all []T, name func(T) string) []string {
	var list []string
	for _, x := range all {
		list = append(list, name(x))
	}
	return list
}

// choose returns those of all that a list of names asks for, in its order.
func choose[T any](what string, all []T, name func(T) string, list string) ([]T, error) {
	known := names(all, name)
	var chosen []T
	for word := range strings.SplitSeq(list, ",") {
		i := slices.Index(known, word)
		if i < 0 {
			return nil, fmt.Errorf("unknown %s %q: want some of %s", what, word, strings.Join(known, ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// run measures the programs that a list names.
func (b *bench) run(ctx context.Context, programs string) error {
	chosen, err := choose("program", subjects, subjectName, programs)
	if err != nil {
		return err
	}
	// The go command does not wait for its GOCACHEPROG, nor orchestrion for its daemon.
	if err := adoptOrphans(); err != nil {
		return err
	}
	var remove func()
	if b.dir, b.wrapper, remove, err = newWrapper(ctx); err != nil {
		return err
	}
	defer remove()
	if err := b.installTools(ctx); err != nil {
		return err
	}
	for _, s := range chosen {
		if err := b.measure(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// installTools installs the tools that other modes build with. A mode whose tool is not to
// be had is left out.
func (b *bench) installTools(ctx context.Context) error {
	var err error
	b.modes = slices.DeleteFunc(b.modes, func(m mode) bool {
		if m.tool == "" || b.tools[m.name] != "" {
			return false
		}
		bin := filepath.Join(b.dir, "bin-"+m.name)
		if _, installErr := timed(ctx, b.dir, append(os.Environ(), "GOBIN="+bin, "GOFLAGS=-mod=mod"), "go", "install", m.tool); installErr != nil {
			b.unavailable = append(b.unavailable, fmt.Sprintf("%s: %v", m.name, installErr))
			return true
		}
		files, readErr := os.ReadDir(bin)
		if readErr != nil || len(files) == 0 {
			err = errors.Join(err, fmt.Errorf("go install %s left no binary: %w", m.tool, readErr))
			return true
		}
		b.tools[m.name] = filepath.Join(bin, files[0].Name())
		return false
	})
	return errors.Join(err, ctx.Err())
}

// measure measures one program and prints its table.
func (b *bench) measure(ctx context.Context, s subject) error {
	b.costs, b.failures = map[[2]string][]cost{}, nil
	dir := filepath.Join(b.dir, s.name)
	defer os.RemoveAll(dir)
	p, err := program.Fetch(ctx, s.module, filepath.Join(dir, "source"))
	if err != nil {
		return err
	}
	base := filepath.Join(dir, "base")
	if b.keep != "" {
		if base, err = filepath.Abs(filepath.Join(b.keep, s.name)); err != nil {
			return err
		}
	}
	if err := fillCache(ctx, p.Dir, s, base); err != nil { // if the cache is full, the go command only checks it
		return err
	}
	failed := map[string]bool{}
	for round := range b.rounds {
		for i := range b.modes {
			m := b.modes[(i+round)%len(b.modes)] // no mode is always the first
			if failed[m.name] {
				continue
			}
			fmt.Fprintf(os.Stderr, "%s: round %d of %d: %s\n", s.name, round+1, b.rounds, m.name)
			if err := b.sequence(ctx, m, s, p, dir, base, round); err != nil {
				if ctx.Err() != nil {
					b.print(s) // what has been measured so far
					return err
				}
				failed[m.name] = true
				b.failures = append(b.failures, fmt.Sprintf("%s: %v", m.name, err))
			}
		}
	}
	b.print(s)
	return nil
}

// fillCache compiles what the program depends on, but nothing of its own.
func fillCache(ctx context.Context, source string, s subject, cache string) error {
	list := exec.CommandContext(ctx, "go", "list", "-deps", "-f", "{{if not (or .Standard .Module.Main)}}{{.ImportPath}}{{end}}", s.pkg)
	list.Dir, list.Env = source, buildEnv("")
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	_, err = timed(ctx, source, buildEnv(cache), append([]string{"go", "build", "std"}, strings.Fields(string(out))...)...)
	return err
}

func buildEnv(cache string, more ...string) []string {
	env := append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GOCACHE="+cache, "GARBLE_CACHE="+cache+"-garble")
	return append(env, more...)
}

// sequence measures all rows of one mode, from a copy of the cache.
func (b *bench) sequence(ctx context.Context, m mode, s subject, p *program.Program, dir, base string, round int) (err error) {
	// Each sequence has its own directories, which are deleted only when the program
	// is done: on some file systems a deletion slows down making files.
	work := filepath.Join(dir, fmt.Sprint(m.name, round))
	cache := filepath.Join(work, "cold", "cache")
	source, base, err := b.prepare(ctx, m, s, p, dir, base)
	if err != nil {
		return err
	}
	run := func(row string, env ...string) error {
		if !slices.Contains(b.rows, row) && (row == rowCold || row == rowSetting) {
			return nil
		}
		c, err := b.build(ctx, m, s, source, cache, env)
		if err != nil {
			return fmt.Errorf("%s: %w", row, err)
		}
		b.costs[[2]string{m.name, row}] = append(b.costs[[2]string{m.name, row}], c)
		return nil
	}
	if slices.Contains(b.rows, rowCold) {
		if err := errors.Join(os.MkdirAll(cache, 0o777), run(rowCold)); err != nil {
			return err
		}
	}
	if err := b.restored(ctx, m, s, source, base, filepath.Join(work, "ci"), round); err != nil {
		return err
	}
	if !slices.ContainsFunc(rows[1:], func(row string) bool { return slices.Contains(b.rows, row) }) {
		return nil
	}
	cache = filepath.Join(work, "warm", "cache")
	if err := os.CopyFS(cache, os.DirFS(base)); err != nil {
		return err
	}
	if err := run(rowSwitched); err != nil {
		return err
	}
	restore, err := edit(source, s, round)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, restore()) }()
	if err := run(rowEdited); err != nil {
		return err
	}
	if m.setting == "" {
		return run(rowNothing)
	}
	setting := m.setting + "=example.invalid"
	if !slices.Contains(b.rows, rowSetting) {
		return run(rowNothing)
	}
	if err := run(rowSetting, setting); err != nil {
		return err
	}
	return run(rowNothing, setting)
}

// edit changes a file of a program, in another way each round. restore writes what was there.
func edit(source string, s subject, round int) (restore func() error, err error) {
	file := filepath.Join(source, filepath.FromSlash(s.edit))
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	edited := fmt.Appendf(slices.Clip(text), "\nfunc benchEdited() int { return %d }\n\nvar _ = benchEdited\n", round)
	return func() error { return os.WriteFile(file, text, 0o666) }, os.WriteFile(file, edited, 0o666)
}

// prepare returns the directory of the sources to build and the cache to start from. Other
// tools write to the sources, so each has a copy of its own. If it is set up in a way that
// may bring other dependencies, the cache holds those too.
func (b *bench) prepare(ctx context.Context, m mode, s subject, p *program.Program, dir, base string) (source, cache string, err error) {
	if m.tool == "" {
		return p.Dir, base, nil
	}
	source = filepath.Join(dir, "source-"+m.name)
	if m.setup != nil {
		cache = filepath.Join(dir, "base-"+m.name)
	} else {
		cache = base
	}
	if _, err := os.Stat(source); err == nil {
		return source, cache, nil
	}
	if err := os.CopyFS(source, os.DirFS(p.Dir)); err != nil {
		return "", "", err
	}
	if m.setup == nil {
		return source, cache, nil
	}
	if err := m.setup(ctx, b.tools[m.name], source); err != nil {
		return "", "", fmt.Errorf("setup: %w", err)
	}
	if err := os.CopyFS(cache, os.DirFS(base)); err != nil {
		return "", "", err
	}
	return source, cache, fillCache(ctx, source, s, cache)
}

func (b *bench) build(ctx context.Context, m mode, s subject, source, cache string, env []string) (cost, error) {
	replacer := strings.NewReplacer("WRAPPER", b.wrapper, "TOOL", b.tools[m.name], "CACHE-", cache+"-")
	replace := func(words []string) (replaced []string) {
		for _, word := range words {
			replaced = append(replaced, replacer.Replace(word))
		}
		return replaced
	}
	args := replace(m.command)
	args = append(args, "-o", filepath.Join(filepath.Dir(cache), "program"+program.ExeSuffix()), s.pkg)
	return timed(ctx, source, buildEnv(cache, slices.Concat(replace(m.env), env)...), args...)
}

// commandLimit ends a command that hangs, so that the others are measured all the same.
const commandLimit = 30 * time.Minute

// timed runs a command. Its output goes to a file: a process that it leaves behind would
// keep a pipe open.
func timed(ctx context.Context, dir string, env []string, args ...string) (cost, error) {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	out, err := os.CreateTemp("", "scavenger-bench-output-")
	if err != nil {
		return cost{}, err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, out, out
	start := time.Now()
	err = cmd.Run()
	wall := time.Since(start)
	left, leftErr := waitOrphans(ctx)
	if err = errors.Join(err, leftErr); err != nil {
		text, readErr := os.ReadFile(out.Name())
		return cost{}, errors.Join(fmt.Errorf("%s: %w\n%s", filepath.Base(args[0])+" "+args[1], err, lastLines(string(text))), readErr)
	}
	return cost{cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime() + left, wall}, nil
}

// lastLines returns the end of a command's output, where the reason for its failure is.
func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-4):], "\n")
}
