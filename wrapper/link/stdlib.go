// The standard library's packages that hitrt needs and the program lacks.
//
// They must be the very compilations that the program would have if it imported
// them, so the go command is asked for them, once more and without us, with
// those flags of the running build that reach the standard library. Those are
// taken from where the build itself writes them down: the modinfo line of
// importcfg.link (what `go version -m` shows), and the environment.
//
// Not everything stands there: of several -gcflags only the last, and nothing of
// -overlay. Where the packages come out other than the program has them, the
// command line of the running go command is the last resort (wrapper/plain/outer.go).

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

// tryNested adds packages, and all that they import, as the nested go command
// gives them, unless the program has another compilation of one: then it returns
// that one's import path.
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

// differing returns the import path of a package of which the program has
// another compilation than the one in archives, "" if there is none.
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

// nestedAttempts returns the sets of flags with which the nested go command is
// tried one after the other, until it gives the packages that the program has.
// Mostly there is one. But what is covered of the standard library is written
// nowhere except in its archives, and its -covermode not even there; and the
// next program of a chain may have a hand in it.
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

// coveredStdlib returns the packages of the standard library that the program
// has compiled for -cover, in sorted order. Only those, and not all that a
// -coverpkg=all would take, are to be covered in the nested command too, so that
// the program's profile has nothing of hitrt's imports in it.
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
		// Its counters are variables of this prefix (work/exec.go in cmd/go).
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
	idA, err := toolchain.ContentID(a)
	if err != nil {
		return false, err
	}
	idB, err := toolchain.ContentID(b)
	return idA == idB, err
}

// listStdlib returns the archives of packages of the standard library and of
// all that they import, by import path.
func (l *linking) listStdlib(packages []string, nested nestedGo) (map[string]string, error) {
	goCommand, err := toolchain.GoCommandOf(l.Path)
	if err != nil {
		return nil, err
	}
	unlock, err := toolchain.Lock(l.lockFile())
	if err != nil {
		return nil, err
	}
	defer unlock()
	g := toolchain.GoList{Program: goCommand, Dir: nested.dir, Env: nested.env, Flags: nested.flags}
	list := func() ([]toolchain.ListedPackage, error) {
		ctx, cancel := toolchain.LimitCacheProg()
		defer cancel()
		return g.Packages(ctx, "ImportPath,Export", []string{"-export", "-deps"}, packages...)
	}
	shares := !toolchain.UsesCacheProg() || g.SharesCacheProg(toolchain.WorkDirectory(l.dir))
	var listed []toolchain.ListedPackage
	if shares {
		listed, err = list()
	}
	if !shares || err != nil && toolchain.UsesCacheProg() {
		// What is compiled now, the go command's own cache has the next time.
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

// lockFile returns the file by which the link actions of one go command take
// turns: they most likely need the same packages, which the first leaves in the
// cache for the others. "" if it is not known where that go command works.
func (l *linking) lockFile() string {
	if work := toolchain.WorkDirectory(l.dir); work != "" {
		return filepath.Join(work, "scavenger.lock")
	}
	return ""
}

// buildInfo returns what the build says of itself.
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

// nestedGo returns how a nested go command compiles the standard library as the
// running one did, from what that has written down.
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
		// Never empty: the go command would look into its env file then, where
		// a -toolexec may stand.
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
			n.flags = append(n.flags, "-pgo="+s.Value)
		case "GOEXPERIMENT", "GOFIPS140", "CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_LDFLAGS":
			n.env = append(n.env, s.Key+"="+s.Value)
		default:
			if strings.HasPrefix(s.Key, "GO"+strings.ToUpper(goarch)) || s.Key == "GOARM" || s.Key == "GO386" || s.Key == "GOMIPS" {
				n.env = append(n.env, s.Key+"="+s.Value)
			}
		}
	}
	if slices.Contains(l.main.Main.Flags, "-shared") {
		// Whichever build mode it is for, the packages are compiled alike; and
		// unlike c-shared and c-archive this one is not refused without a main.
		n.flags = append(n.flags, "-buildmode=pie")
	}
	if tags = l.withoutC(tags); tags != "" {
		n.flags = append(n.flags, "-tags="+tags)
	}
	return n, nil
}

// withoutC adds the build tag by which net has no C in it, if a program with cgo
// lacks net: it uses C for something else, and must not start to need the C library's
// resolver, of which ld warns in a static program.
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

// emptyModule returns the directory of a module of our own: the user's go.mod,
// vendor directory and workspace have no say in the standard library.
func (l *linking) emptyModule() (dir string, err error) {
	dir = filepath.Join(l.dir, "nested")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module scavenger.invalid/nested\n"), 0o666)
}

// cgoEnabled returns the variable for a nested go command. A program without cgo
// stays without: net and os/user have a form for it.
func (l *linking) cgoEnabled() string {
	if _, ok := l.cfg.Packages["runtime/cgo"]; ok {
		return "CGO_ENABLED=1"
	}
	return "CGO_ENABLED=0"
}

// outerGo returns how a nested go command compiles the standard library as the
// running one does, from that one's command line. It runs where that one does,
// as patterns and files in its flags may be relative; but for package@version the
// module there counts for nothing.
func (l *linking) outerGo() (nestedGo, error) {
	outer, err := plain.ReadOuterCommand()
	if err != nil {
		return nestedGo{}, err
	}
	var n nestedGo
	if n.dir, err = l.WorkingDir(); err != nil {
		return n, err
	}
	n.flags, n.env = outer.ForStdlib(n.dir)
	n.env = append(n.env, l.cgoEnabled())
	if outer.OfVersion() {
		n.env = append(n.env, "GOWORK=off")
		if n.dir, err = l.emptyModule(); err != nil {
			return n, err
		}
	}
	info, err := l.buildInfo()
	if err != nil {
		return n, err
	}
	for _, s := range info.Settings {
		if s.Key == "-pgo" {
			n.flags = append(slices.Clip(n.flags), "-pgo="+s.Value)
		}
	}
	return n, nil
}
