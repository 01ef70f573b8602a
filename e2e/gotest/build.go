package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// batchSize is how many programs one go build makes. Their binaries are removed
// before the next ones are made, as those of all take gigabytes.
const batchSize = 100

// A batch is programs that one go build makes.
type batch []subject

// batches groups programs that are built with the same flags.
func batches(subjects []subject) []batch {
	key := func(s subject) string {
		if s.action == "runindir" {
			return s.name // a module of its own
		}
		return strings.Join(s.flags, " ") + "\n" + strings.Join(s.env, " ")
	}
	groups := map[string]batch{}
	var order []string
	for _, s := range subjects {
		k := key(s)
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], s)
	}
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(len(groups[b]), len(groups[a])) })
	var all []batch
	for _, k := range order {
		all = slices.AppendSeq(all, slices.Chunk(groups[k], batchSize))
	}
	return all
}

func goEnv(ctx context.Context, name string) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", name).Output()
	return strings.TrimSpace(string(out)), err
}

// goCommand returns a go command in the batch's module, with nothing of the
// environment's own settings.
func (b batch) goCommand(ctx context.Context, o *options, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.moduleDir(o)
	cmd.Env = slices.Concat(o.cleanEnv(), b[0].env)
	return cmd
}

// cleanEnv returns the environment of builds and of programs, which may be builds.
func (o *options) cleanEnv() []string {
	env := append(os.Environ(), "GOWORK=off", "GOENV=off", "GOFLAGS=")
	if o.closures {
		env = append(env, "SCAVENGER_CLOSURES=true")
	}
	return env
}

func (b batch) moduleDir(o *options) string {
	dir := filepath.Join(o.dir, "src")
	if b[0].action == "runindir" {
		dir = filepath.Join(dir, b[0].pkgName())
	}
	return dir
}

// layOut writes the module and its programs.
func (b batch) layOut(ctx context.Context, o *options) error {
	version, err := goEnv(ctx, "GOVERSION")
	if err != nil {
		return err
	}
	// The language is that of the toolchain, as in Go's own test.
	release := strings.Join(strings.SplitN(strings.TrimPrefix(version, "go"), ".", 3)[:2], ".")
	dir := filepath.Join(o.dir, "src")
	if err := writeFile(filepath.Join(dir, "go.mod"), fmt.Appendf(nil, "module %s\n\ngo %s\n", modulePath, release)); err != nil {
		return err
	}
	for _, s := range b {
		if err := os.RemoveAll(filepath.Join(dir, s.pkgName())); err != nil {
			return err
		}
		if err := s.layOut(filepath.Join(o.goroot, "test"), dir); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// pattern returns what the go command calls the program's package.
func (s *subject) pattern() string {
	if s.action == "runindir" {
		return "."
	}
	return "./" + s.pkgName()
}

// broken tells, by pattern, what the go command cannot load, as one such package
// would keep it from building the others.
func (b batch) broken(ctx context.Context, o *options) (map[string]string, error) {
	args := slices.Concat([]string{"list", "-e", "-json=Dir,Error,DepsErrors"}, b[0].flags)
	for _, s := range b {
		args = append(args, s.pattern())
	}
	cmd := b.goCommand(ctx, o, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.Bytes())
	}
	reasons := map[string]string{}
	for dec := json.NewDecoder(&stdout); ; {
		var p struct {
			Dir        string
			Error      *struct{ Err string }
			DepsErrors []struct{ Err string }
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return reasons, nil
		} else if err != nil {
			return nil, err
		}
		switch name := filepath.Base(p.Dir); {
		case p.Error != nil:
			reasons[name] = p.Error.Err
		case len(p.DepsErrors) > 0:
			reasons[name] = p.DepsErrors[0].Err
		}
	}
}

// build builds a variant of the programs, as far as they build. What the go
// command prints of the others is returned, by package name.
func (b batch) build(ctx context.Context, o *options, variant string, flags ...string) (map[string]string, error) {
	into := filepath.Join(o.dir, variant)
	if err := os.MkdirAll(into, 0o777); err != nil {
		return nil, err
	}
	args := slices.Concat([]string{"build", "-o", into + string(os.PathSeparator)}, flags)
	if !slices.ContainsFunc(b[0].flags, func(f string) bool { return strings.HasPrefix(f, "-ldflags") }) {
		args = append(args, "-ldflags=-w") // half the time
	}
	args = append(args, b[0].flags...)
	for _, s := range b {
		args = append(args, s.pattern())
	}
	cmd := b.goCommand(ctx, o, args...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && !errors.As(err, &exit):
		return nil, err
	}
	if err := program.NoBug(out); err != nil {
		return nil, err
	}
	reasons := map[string]string{}
	for block := range strings.SplitSeq("\n"+string(out), "\n# ") {
		title, text, _ := strings.Cut(block, "\n")
		path, _, _ := strings.Cut(title, " ")
		path = strings.TrimPrefix(path, modulePath+"/")
		name, _, _ := strings.Cut(path, "/")
		reasons[name] += text
	}
	for _, s := range b {
		name := s.pkgName()
		if _, err := os.Stat(filepath.Join(into, s.binary())); err != nil {
			reasons[name] = cmp.Or(reasons[name], string(out), "no binary")
		} else {
			delete(reasons, name)
		}
	}
	return reasons, nil
}

func (s *subject) binary() string {
	if s.action == "runindir" {
		return filepath.Base(s.name) + ".dir" + program.ExeSuffix()
	}
	return s.pkgName() + program.ExeSuffix()
}
