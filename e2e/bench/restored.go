// What builds cost on a machine of CI, which has nothing but the caches that a job before
// left: restored by tar, as actions/cache and others do, to the same paths. Checkout and
// scavenger-wrap are new: files have other times, scavenger-wrap and perhaps the checkout
// another path.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// The rows of restored caches. They are measured if they are asked for.
const (
	rowFromPlain      = "restored from plain"
	rowRestored       = "restored"
	rowRestoredEdited = "restored and edited"
	rowElsewhere      = "restored elsewhere"
	rowCacheProgram   = "cache program"
)

var restoredRows = []string{rowFromPlain, rowRestored, rowRestoredEdited, rowElsewhere, rowCacheProgram}

// A runner is the directory of a machine of CI.
type runner struct {
	*bench
	m      mode
	s      subject
	source string // what is checked out
	dir    string
	proxy  string // where modules come from
}

func (r *runner) path(name string) string { return filepath.Join(r.dir, name) }

// restored measures the rows of one mode, from a copy of the cache.
func (b *bench) restored(ctx context.Context, m mode, s subject, source, base, dir string, round int) error {
	if !slices.ContainsFunc(restoredRows, func(row string) bool { return slices.Contains(b.rows, row) }) {
		return nil
	}
	// Those that the measuring machine has, whose sums are known.
	modules, err := exec.CommandContext(ctx, "go", "env", "GOMODCACHE").Output()
	if err != nil {
		return err
	}
	proxy := "file://" + filepath.ToSlash(filepath.Join(strings.TrimSpace(string(modules)), "cache", "download"))
	before := &runner{bench: b, m: m, s: s, source: source, dir: dir, proxy: proxy}
	if err := before.job(ctx, base); err != nil {
		return err
	}
	moved := filepath.Join(dir, "bin", filepath.Base(b.wrapper))
	if err := copyFile(b.wrapper, moved); err != nil {
		return err
	}
	later := *b // its costs are b's
	later.wrapper = moved
	r := &runner{bench: &later, m: m, s: s, source: source, dir: dir, proxy: proxy}
	for _, row := range restoredRows {
		if !slices.Contains(b.rows, row) {
			continue
		}
		if err := r.measure(ctx, row, round); err != nil {
			return fmt.Errorf("%s: %w", row, err)
		}
	}
	return nil
}

// job is the job before: it leaves the caches of a plain build, and of one in this mode
// after it.
func (r *runner) job(ctx context.Context, base string) error {
	if err := os.CopyFS(r.path("cache"), os.DirFS(base)); err != nil {
		return err
	}
	// A program without requirements makes no module cache.
	if err := errors.Join(os.MkdirAll(r.path("mod"), 0o777), r.checkout("checkout")); err != nil {
		return err
	}
	plain := *r
	plain.m = modes[0]
	if _, err := plain.buildAt(ctx, "checkout"); err != nil { // it fetches modules, too
		return err
	}
	if err := r.tar(ctx, "-cf", "plain.tar", "cache", "mod"); err != nil {
		return err
	}
	if _, err := r.buildAt(ctx, "checkout"); err != nil {
		return err
	}
	return r.tar(ctx, "-cf", "own.tar", "cache", "mod")
}

// measure makes a machine for a row, and builds there.
func (r *runner) measure(ctx context.Context, row string, round int) error {
	for _, name := range []string{"cache", "mod", "checkout", "elsewhere", "store", "program" + program.ExeSuffix()} {
		if err := os.RemoveAll(r.path(name)); err != nil {
			return err
		}
	}
	saved, checkout := "own.tar", "checkout"
	var env []string
	if row == rowFromPlain {
		saved = "plain.tar"
	}
	if row == rowElsewhere {
		checkout = "elsewhere"
	}
	if err := errors.Join(r.tar(ctx, "-xf", saved), r.checkout(checkout)); err != nil {
		return err
	}
	switch row {
	case rowRestoredEdited:
		if _, err := edit(r.path(checkout), r.s, round); err != nil {
			return err
		}
	case rowCacheProgram:
		self, err := os.Executable()
		if err != nil {
			return err
		}
		if err := errors.Join(os.Rename(r.path("cache"), r.path("store")), os.Mkdir(r.path("cache"), 0o777)); err != nil {
			return err
		}
		env = []string{"GOCACHEPROG=" + self + " cacheprog " + r.path("store")}
	}
	c, err := r.buildAt(ctx, checkout, env...)
	if err != nil {
		return err
	}
	r.costs[[2]string{r.m.name, row}] = append(r.costs[[2]string{r.m.name, row}], c)
	return nil
}

// buildAt builds in a checkout, with the machine's caches.
func (r *runner) buildAt(ctx context.Context, checkout string, env ...string) (cost, error) {
	env = append(env, "GOMODCACHE="+r.path("mod"), "GOFLAGS=-mod=mod -modcacherw", "GOPROXY="+r.proxy, "GOSUMDB=off")
	return r.build(ctx, r.m, r.s, r.path(checkout), r.path("cache"), env)
}

// checkout copies the sources, which are new files then.
func (r *runner) checkout(name string) error {
	return os.CopyFS(r.path(name), os.DirFS(r.source))
}

func (r *runner) tar(ctx context.Context, how, file string, names ...string) error {
	_, err := timed(ctx, r.dir, nil, append([]string{"tar", how, file}, names...)...)
	return err
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(filepath.Dir(to), 0o777), os.WriteFile(to, text, 0o777))
}
