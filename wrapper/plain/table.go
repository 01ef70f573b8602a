// Where the plain archives of a build's packages are.
//
// The first action that wants to know runs a second go command: the same as the running
// one (outer.go), but without us. The answer goes into the work directory of the running
// go command, as wrapper/early reads it.
//
// The second go command compiles what the cache lacks. So a package is compiled once,
// whether a plain or a marked build comes first. The second go command is not asked for
// packages that match, nor for those that depend on one, because their plain archives
// would be of no use.

package plain

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/early"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain/lean"
)

// makeTable makes the table of this build if there is none.
func makeTable(t early.Table, a *action.Action, cfg *config.Config, c *early.Compile) error {
	if t.Done() {
		return nil
	}
	// Most builds that get here without a table find their unmarked packages in the
	// cache. They have compiled a marked package, and now a package that imports it. No
	// plain archive helps with that one.
	if err := importsNoMark(c); err != nil {
		return err
	}
	if err := os.MkdirAll(t.Dir, 0o777); err != nil {
		return err
	}
	unlock, err := toolchain.Lock(filepath.Join(t.Dir, "lock"))
	if err != nil {
		return err
	}
	defer unlock()
	if t.Done() { // while we waited
		return nil
	}
	reason := ""
	if err := fill(a, cfg, t); err != nil {
		reason = err.Error()
	}
	return t.SetDone(reason)
}

// importsNoMark returns an error if the package imports one that is marked.
func importsNoMark(c *early.Compile) error {
	cfg, err := toolchain.ReadImportcfg(c.Importcfg())
	if err != nil {
		return err
	}
	for path, archive := range cfg.Packages {
		m, err := toolchain.ReadMember(archive, lean.MetadataMember)
		if err != nil {
			return err
		}
		if m != nil {
			return fmt.Errorf("imports %s, which is marked", path)
		}
	}
	return nil
}

// fill asks for the plain archives and writes the files of the table.
func fill(a *action.Action, cfg *config.Config, t early.Table) error {
	outer, err := ReadOuterCommand()
	if err == nil {
		err = outer.noPlain
	}
	if err != nil {
		return err
	}
	if cfg == nil {
		if cfg, err = a.ReadConfig(); err != nil {
			return err
		}
	}
	if toolchain.UsesCacheProg() && !outer.goList().SharesCacheProg(filepath.Dir(t.Dir)) {
		return errors.New("GOCACHEPROG serves no second go command")
	}
	names, err := outer.unmarkedPackages(cfg)
	if err != nil || len(names) == 0 {
		return err
	}
	// A file system's clock may be a tick behind.
	since := time.Now().Add(-100 * time.Millisecond)
	// -compiled names the files that cgo generates.
	packages, err := outer.list("ImportPath,Dir,Standard,Export,BuildID,CompiledGoFiles,CgoFiles,SFiles,HFiles", []string{"-export", "-compiled"}, names...)
	if err != nil {
		return err
	}
	var plain []*early.Package
	for _, p := range packages {
		if p.Export != "" && p.BuildID != "" {
			plain = append(plain, outer.plainPackage(p, since))
		}
	}
	return t.Write(plain)
}

func (c *OuterCommand) plainPackage(p toolchain.ListedPackage, since time.Time) *early.Package {
	modes := slices.Clone(c.modes)
	slices.Sort(modes)
	plain := &early.Package{ImportPath: p.ImportPath, Archive: p.Export, BuildID: p.BuildID, Since: since,
		TakeAsm: !c.asm, Modes: slices.Compact(modes), Words: c.words}
	for _, file := range p.CompiledGoFiles {
		if !filepath.IsAbs(file) {
			file = filepath.Join(p.Dir, file)
		}
		plain.Files = append(plain.Files, file)
	}
	for _, file := range p.SFiles {
		// In a package with cgo, the C compiler assembles all of them. Only runtime/cgo
		// has files for asm too, which do not begin with gcc_.
		if len(p.CgoFiles) == 0 || p.ImportPath == "runtime/cgo" && !strings.HasPrefix(file, "gcc_") {
			plain.AsmFiles = append(plain.AsmFiles, file)
		}
	}
	for _, file := range slices.Concat(p.SFiles, p.HFiles) {
		plain.Sources = append(plain.Sources, filepath.Join(p.Dir, file))
	}
	return plain
}

// unmarkedPackages returns the import paths of those packages of the build that neither
// match nor depend on one that does.
func (c *OuterCommand) unmarkedPackages(cfg *config.Config) ([]string, error) {
	flags := []string{"-deps"}
	if c.tests {
		flags = append(flags, "-test")
	}
	// Each package comes after those that it imports.
	packages, err := c.list("ImportPath,Name,Dir,ForTest,Standard,DepOnly,Imports", flags, c.roots...)
	if err != nil {
		return nil, err
	}
	if c.cover {
		more, err := c.list("ImportPath,Standard,DepOnly,Imports", []string{"-deps"}, "runtime/coverage")
		if err != nil {
			return nil, err
		}
		packages = append(packages, more...)
	}
	var names []string
	out := map[string]bool{}
	for _, p := range packages {
		if _, seen := out[p.ImportPath]; seen {
			continue
		}
		out[p.ImportPath] = !p.Standard && cfg.Match(p.ImportPath) && cfg.FromModules(p.ImportPath, p.Dir) ||
			slices.ContainsFunc(p.Imports, func(path string) bool { return out[path] })
		switch {
		case out[p.ImportPath], p.ImportPath == "unsafe", c.named && !p.DepOnly:
		case p.Name == "main": // compiled in any case
		case p.ForTest != "" || strings.Contains(p.ImportPath, " ") || strings.HasSuffix(p.ImportPath, ".test"):
		default:
			names = append(names, p.ImportPath)
		}
	}
	return names, nil
}

// list runs go list with the flags of the build. A package with errors comes without an
// archive, and the build reports what is wrong with it.
func (c *OuterCommand) list(fields string, flags []string, patterns ...string) ([]toolchain.ListedPackage, error) {
	alive, stop := toolchain.WhileParent()
	defer stop()
	ctx, cancel := toolchain.LimitCacheProg(alive)
	defer cancel()
	packages, err := c.goList().Packages(ctx, fields, append([]string{"-e", "-pgo=off"}, flags...), patterns...)
	if failed := (*toolchain.ListError)(nil); errors.As(err, &failed) {
		return nil, errors.New(failed.Short())
	}
	return packages, err
}

// goList returns how to run a go list that sees the same build.
func (c *OuterCommand) goList() toolchain.GoList {
	return toolchain.GoList{Program: c.program, Dir: c.dir, Env: c.env(c.dir, c.goflags), Flags: c.flags}
}
