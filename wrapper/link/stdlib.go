// The standard library's packages that hitrt needs and the program lacks.
//
// They must be the same compilations that the program would have if it imported them. So
// a second go command is asked for them, without us, with those flags of the running
// build that reach the standard library. Most of these flags are in the modinfo line of
// importcfg.link (what `go version -m` shows) and in the environment.
//
// Not all flags are there: of several -gcflags modinfo has only the last, and it has no
// -overlay. If the second go command gives other compilations than the program has, the
// flags come from the command line of the running go command (wrapper/plain/outer.go).

package link

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/plain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain/lean"
)

// addStdlib adds the archives of packages, and of all that they import, to the
// importcfg.
func (l *linking) addStdlib(packages []string) error {
	var lacking []string
	for _, p := range packages {
		if _, ok := l.cfg.Packages[p]; !ok && p != "unsafe" {
			lacking = append(lacking, p)
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	nested, err := l.nestedGo()
	if err != nil {
		return err
	}
	differing, err := l.tryNested(nested, lacking)
	if err != nil || differing == "" {
		return err
	}
	outer, err := l.outerGo()
	if err == nil {
		var still string
		if still, err = l.tryNested(outer, lacking); err == nil && still == "" {
			return nil
		}
	}
	if err == nil {
		err = errors.New("with all flags of the go command it differs too")
	}
	return fmt.Errorf("package %s of the program differs from the one that hitrt's imports were compiled against; "+
		"a build flag reaches the standard library that the go command has not recorded: give -gcflags once, and nothing else in GOFLAGS=%q that does (%w)",
		differing, os.Getenv("GOFLAGS"), err)
}

// A nestedGo is how a nested go command is run.
type nestedGo struct {
	dir   string
	flags []string
	env   []string
}

// tryNested asks the nested go command for packages and all that they import, and adds
// them. If the program has another compilation of one of them, tryNested adds none and
// returns the import path of that one.
func (l *linking) tryNested(nested nestedGo, packages []string) (differing string, err error) {
	attempts, err := l.nestedAttempts(nested.flags)
	if err != nil {
		return "", err
	}
	for _, flags := range attempts {
		archives, err := l.listStdlib(packages, nestedGo{nested.dir, flags, nested.env})
		if err != nil {
			return "", err
		}
		if differing, err = l.differing(archives); err != nil {
			return "", err
		}
		if differing == "" {
			for p, archive := range archives {
				l.cfg.Add(p, archive)
			}
			return "", nil
		}
	}
	return differing, nil
}

// differing returns the import path of a package that the program has in another
// compilation than archives, or "" if there is none.
func (l *linking) differing(archives map[string]string) (string, error) {
	for _, p := range slices.Sorted(maps.Keys(archives)) {
		have, ok := l.cfg.Packages[p]
		if !ok {
			continue
		}
		same, err := sameContent(have, archives[p])
		if err != nil || !same {
			return p, err
		}
	}
	return "", nil
}

// nestedAttempts returns sets of flags for the nested go command. They are tried one
// after the other, until the nested go command gives the packages that the program has.
//
// Usually there is one set. There are more if packages of the standard library are
// covered, because their -covermode is not recorded anywhere, and if there is a next
// program in the chain, because that may change packages.
func (l *linking) nestedAttempts(flags []string) ([][]string, error) {
	attempts := [][]string{flags}
	covered, err := l.coveredStdlib()
	if err != nil {
		return nil, err
	}
	if len(covered) > 0 {
		attempts = nil
		modes := []string{"set", "count", "atomic"}
		if m := l.main.Main.CoverMode; slices.Contains(modes, m) {
			modes = []string{m}
		} else if slices.Contains(l.main.Main.Flags, "-race") {
			modes = []string{"atomic"}
		}
		for _, mode := range modes {
			attempts = append(attempts, append(slices.Clip(flags), "-cover", "-covermode="+mode, "-coverpkg="+strings.Join(covered, ",")))
		}
	}
	if len(l.Flags.Next) > 0 {
		toolexec := "-toolexec=" + toolchain.JoinQuoted(l.Flags.Next)
		for _, flags := range slices.Clone(attempts) {
			attempts = append(attempts, append(slices.Clip(flags), toolexec))
		}
	}
	return attempts, nil
}

// coveredStdlib returns the packages of the standard library that the program has
// compiled for -cover, in sorted order. The nested go command covers only these, even if
// the build has -coverpkg=all, so that hitrt's imports are not in the program's profile.
func (l *linking) coveredStdlib() ([]string, error) {
	info, err := l.buildInfo()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(info.Settings, debug.BuildSetting{Key: "-cover", Value: "true"}) {
		return nil, nil
	}
	var covered []string
	for _, p := range l.cfg.Paths() {
		if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") {
			continue
		}
		data, err := os.ReadFile(l.cfg.Packages[p])
		if err != nil {
			return nil, err
		}
		// The names of its counters have this prefix (work/exec.go in cmd/go).
		if bytes.Contains(data, []byte(toolchain.SymbolName(p, "goCover_"))) {
			covered = append(covered, p)
		}
	}
	return covered, nil
}

func sameContent(a, b string) (bool, error) {
	if a == b {
		return true, nil
	}
	idA, err := lean.ContentID(a)
	if err != nil {
		return false, err
	}
	idB, err := lean.ContentID(b)
	return idA == idB, err
}

// listStdlib returns the archives of packages of the standard library and of
// all that they import, by import path.
func (l *linking) listStdlib(packages []string, nested nestedGo) (map[string]string, error) {
	goCommand, err := toolchain.GoCommandOf(l.Path)
	if err != nil {
		return nil, err
	}
	alive, stop := toolchain.WhileParent()
	defer stop()
	// It saves time and nothing else, and some file systems have no locks.
	if unlock, err := toolchain.Lock(l.lockFile()); err == nil {
		defer unlock()
	}
	g := toolchain.GoList{Program: goCommand, Dir: nested.dir, Env: nested.env, Flags: nested.flags}
	list := func() ([]toolchain.ListedPackage, error) {
		ctx, cancel := toolchain.LimitCacheProg(alive)
		defer cancel()
		return g.Packages(ctx, "ImportPath,Export", []string{"-export", "-deps"}, packages...)
	}
	shares := !toolchain.UsesCacheProg() || g.SharesCacheProg(lean.WorkDirectory(l.dir))
	var listed []toolchain.ListedPackage
	if shares {
		listed, err = list()
	}
	if !shares || err != nil && toolchain.UsesCacheProg() {
		// The go command's own cache keeps what is compiled now, for the next link.
		if g.Env, err = toolchain.WithoutCacheProg(g.Env, l.dir); err == nil {
			listed, err = list()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("listing the standard library: %w", err)
	}
	archives := map[string]string{}
	for _, p := range listed {
		if p.Export != "" {
			archives[p.ImportPath] = p.Export
		}
	}
	return archives, nil
}

// lockFile returns the file that the link actions of one go command lock in turn. They
// most likely need the same packages, and the first leaves these in the cache for the
// others. lockFile returns "" if the go command's work directory is not known.
func (l *linking) lockFile() string {
	if work := lean.WorkDirectory(l.dir); work != "" {
		return filepath.Join(work, "scavenger.lock")
	}
	return ""
}

// buildInfo returns the build information that link writes into the program.
func (l *linking) buildInfo() (*debug.BuildInfo, error) {
	text, err := l.cfg.Modinfo()
	if err != nil {
		return nil, err
	}
	info, err := debug.ParseBuildInfo(text)
	if err != nil {
		return nil, fmt.Errorf("reading modinfo of importcfg: %w", err)
	}
	return info, nil
}

// nestedGo returns how to run a go command that compiles the standard library as the
// running one did, as far as modinfo and the environment tell.
func (l *linking) nestedGo() (nestedGo, error) {
	var n nestedGo
	var err error
	if n.dir, err = l.emptyModule(); err != nil {
		return n, err
	}
	info, err := l.buildInfo()
	if err != nil {
		return n, err
	}
	goos, goarch, err := toolchain.ObjectTarget(l.cfg.Packages["runtime"])
	if err != nil {
		return n, err
	}
	n.env = append(os.Environ(),
		"GOOS="+goos, "GOARCH="+goarch, "GOWORK=off", "GO111MODULE=on", "GOTOOLCHAIN=local",
		"TOOLEXEC_IMPORTPATH=",
		// Never empty: the go command would then read GOFLAGS from its env file, which
		// may contain a -toolexec.
		"GOFLAGS=-buildvcs=false", l.cgoEnabled())
	tags := ""
	for _, s := range info.Settings {
		switch s.Key {
		case "-race", "-msan", "-asan", "-trimpath":
			if s.Value == "true" {
				n.flags = append(n.flags, s.Key)
			}
		case "-tags":
			tags = s.Value
		case "-gcflags":
			// Without a pattern they are for the packages on the command line.
			if pattern, _, ok := strings.Cut(s.Value, "="); ok && !strings.HasPrefix(pattern, "-") {
				n.flags = append(n.flags, "-gcflags="+s.Value)
			}
		case "-pgo":
			outer, _ := plain.ReadOuterCommand() // nil where it cannot be read
			if file, err := l.profile(outer, s.Value, info.Main); err == nil {
				n.flags = append(n.flags, "-pgo="+file)
			}
		case "GOEXPERIMENT", "GOFIPS140", "CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_LDFLAGS":
			n.env = append(n.env, s.Key+"="+s.Value)
		default:
			if strings.HasPrefix(s.Key, "GO"+strings.ToUpper(goarch)) || s.Key == "GOARM" || s.Key == "GO386" || s.Key == "GOMIPS" {
				n.env = append(n.env, s.Key+"="+s.Value)
			}
		}
	}
	if slices.Contains(l.main.Main.Flags, "-shared") {
		// All build modes that set -shared compile packages alike. Unlike c-shared and
		// c-archive, pie needs no main.
		n.flags = append(n.flags, "-buildmode=pie")
	}
	if tags = l.withoutC(tags); tags != "" {
		n.flags = append(n.flags, "-tags="+tags)
	}
	return n, nil
}

// withoutC adds the build tag netgo, with which net contains no C, if a program with cgo
// lacks net. Such a program uses C for something else. It must not start to need the C
// library's resolver, about which ld warns in a static program.
func (l *linking) withoutC(tags string) string {
	_, cgo := l.cfg.Packages["runtime/cgo"]
	_, net := l.cfg.Packages["net"]
	switch {
	case !cgo || net:
		return tags
	case tags == "":
		return "netgo"
	}
	return tags + ",netgo"
}

// emptyModule returns the directory of a module of our own, in which the user's go.mod,
// vendor directory and workspace do not affect how the standard library is compiled.
func (l *linking) emptyModule() (dir string, err error) {
	dir = filepath.Join(l.dir, "nested")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module scavenger.invalid/nested\n"), 0o666)
}

// cgoEnabled returns the variable CGO_ENABLED for a nested go command. A program without
// cgo stays without it, because net and os/user do not need it.
func (l *linking) cgoEnabled() string {
	if _, ok := l.cfg.Packages["runtime/cgo"]; ok {
		return "CGO_ENABLED=1"
	}
	return "CGO_ENABLED=0"
}
