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
	tool    string // a module to install; its binary comes before or in place of go
	command []string
	env     []string
	setting string // changed in the row "setting changed"; "" if it has none
}

// The commands stand before "-o FILE PACKAGE". WRAPPER and TOOL are the binaries.
var modes = []mode{
	{name: "plain", command: []string{"go", "build"}},
	{name: "-cover", command: []string{"go", "build", "-cover"}},
	{name: "naive", command: []string{"go", "build", "-toolexec=WRAPPER"}, env: []string{"SCAVENGER_PLAIN_CACHE=off"}, setting: "SCAVENGER_EXCLUDE_PACKAGES"},
	{name: "toolexec", command: []string{"go", "build", "-toolexec=WRAPPER"}, setting: "SCAVENGER_EXCLUDE_PACKAGES"},
	{name: "local files", command: []string{"go", "build", "-toolexec=WRAPPER"}, env: []string{"SCAVENGER_NETWORK=false"}, setting: "SCAVENGER_EXCLUDE_PACKAGES"},
	{name: "front-end", command: []string{"WRAPPER", "go", "build"}, setting: "SCAVENGER_EXCLUDE_PACKAGES"},
	{name: "local front-end", command: []string{"WRAPPER", "go", "build"}, env: []string{"SCAVENGER_NETWORK=false"}, setting: "SCAVENGER_EXCLUDE_PACKAGES"},
	{name: "garble", tool: "mvdan.cc/garble@v0.17.0", command: []string{"TOOL", "build"}},
	{name: "orchestrion", tool: "github.com/DataDog/orchestrion@v1.15.0", command: []string{"TOOL", "go", "build"}},
}

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
	costs        map[[2]string][]cost
	failures     []string
}

func buildBench(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench build", flag.ExitOnError)
	var allModes, allSubjects []string
	for _, m := range modes {
		allModes = append(allModes, m.name)
	}
	for _, s := range subjects {
		allSubjects = append(allSubjects, s.name)
	}
	programs := flags.String("programs", strings.Join(allSubjects, ","), "programs to build")
	modeNames := flags.String("modes", strings.Join(allModes, ","), "ways to build them; plain is needed for ratios")
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
	for name := range strings.SplitSeq(*modeNames, ",") {
		i := slices.Index(allModes, name)
		if i < 0 {
			return fmt.Errorf("unknown mode %q: want some of %s", name, strings.Join(allModes, ", "))
		}
		b.modes = append(b.modes, modes[i])
	}
	var err error
	var remove func()
	if b.dir, b.wrapper, remove, err = newWrapper(ctx); err != nil {
		return err
	}
	defer remove()
	if err := b.installTools(ctx); err != nil {
		return err
	}
	for name := range strings.SplitSeq(*programs, ",") {
		i := slices.Index(allSubjects, name)
		if i < 0 {
			return fmt.Errorf("unknown program %q: want some of %s", name, strings.Join(allSubjects, ", "))
		}
		if err := b.measure(ctx, subjects[i]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// installTools installs the tools that other modes build with.
func (b *bench) installTools(ctx context.Context) error {
	for _, m := range b.modes {
		if m.tool == "" {
			continue
		}
		bin := filepath.Join(b.dir, "bin-"+m.name)
		cmd := exec.CommandContext(ctx, "go", "install", m.tool)
		cmd.Dir = b.dir
		cmd.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=-mod=mod")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("installing %s: %w\n%s", m.tool, err, out)
		}
		b.tools[m.name] = filepath.Join(bin, m.name+program.ExeSuffix())
	}
	return nil
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
	if err := fillCache(ctx, p, s, base); err != nil { // if the cache is full, the go command only checks it
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
func fillCache(ctx context.Context, p *program.Program, s subject, cache string) error {
	list := exec.CommandContext(ctx, "go", "list", "-deps", "-f", "{{if not (or .Standard .Module.Main)}}{{.ImportPath}}{{end}}", s.pkg)
	list.Dir, list.Env = p.Dir, buildEnv("")
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	build := exec.CommandContext(ctx, "go", append([]string{"build", "std"}, strings.Fields(string(out))...)...)
	build.Dir, build.Env = p.Dir, buildEnv(cache)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build of the dependencies: %w\n%s", err, out)
	}
	return nil
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
	source, err := b.prepare(ctx, m, p, dir)
	if err != nil {
		return err
	}
	run := func(row string, env ...string) error {
		if !slices.Contains(b.rows, row) && (row == rowCold || row == rowSetting) {
			return nil
		}
		c, err := b.build(ctx, m, s, source, cache, env)
		b.costs[[2]string{m.name, row}] = append(b.costs[[2]string{m.name, row}], c)
		return err
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
	file := filepath.Join(source, filepath.FromSlash(s.edit))
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	edited := fmt.Appendf(slices.Clip(text), "\nfunc benchEdited() int { return %d }\n\nvar _ = benchEdited\n", round)
	if err := os.WriteFile(file, edited, 0o666); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.WriteFile(file, text, 0o666)) }()
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

// prepare returns the directory of the sources to build. Orchestrion wants to be
// in go.mod, so it has a copy of its own.
func (b *bench) prepare(ctx context.Context, m mode, p *program.Program, dir string) (string, error) {
	if m.name != "orchestrion" {
		return p.Dir, nil
	}
	source := filepath.Join(dir, "source-"+m.name)
	if _, err := os.Stat(source); err == nil {
		return source, nil
	}
	if err := os.CopyFS(source, os.DirFS(p.Dir)); err != nil {
		return "", err
	}
	pin := exec.CommandContext(ctx, b.tools[m.name], "pin")
	pin.Dir, pin.Env = source, append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	if out, err := pin.CombinedOutput(); err != nil {
		return "", fmt.Errorf("pin: %w\n%s", err, out)
	}
	return source, nil
}

func (b *bench) build(ctx context.Context, m mode, s subject, source, cache string, env []string) (cost, error) {
	var args []string
	for _, arg := range m.command {
		args = append(args, strings.NewReplacer("WRAPPER", b.wrapper, "TOOL", b.tools[m.name]).Replace(arg))
	}
	args = append(args, "-o", filepath.Join(filepath.Dir(cache), "program"+program.ExeSuffix()), s.pkg)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = source, buildEnv(cache, slices.Concat(m.env, env)...)
	start := time.Now()
	out, err := cmd.CombinedOutput()
	wall := time.Since(start)
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return cost{cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), wall}, nil
}
