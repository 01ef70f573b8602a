// Package link does link actions. It adds hitrt and the registry to programs that import
// the registry.
//
// When main was compiled, the packages of the program were not known. Now they are:
// importcfg.link names the archive of each, and the archives say what is marked. So the
// registry is generated and compiled here. hitrt is compiled too, from the source that
// scavenger-wrap carries. Both are compiled with the compile tool itself and against the
// program's own archives. hitrt imports packages of the standard library, and the go
// command provides those that the program lacks (stdlib.go).
//
// The registry then takes the place of the stub that main was compiled against. Code that
// was compiled against one form of a package must not run with another. So an importer
// records the fingerprint of the package that it was compiled against, and the linker
// compares it with the fingerprint in the archive. Main uses nothing of the registry but
// its initialisation, and the stub has one too. So the difference between the two cannot
// matter, and the registry's archive is given the stub's fingerprint. Nothing else
// imports the registry, and the packages that the registry imports keep their own
// fingerprints.
//
// It may import config, rewrite, wrapper/evidence, wrapper/plain, wrapper/registry,
// wrapper/toolid, wrapper/action, wrapper/toolchain and wrapper/toolchain/lean.
package link

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolid"
)

// Run does a link action.
func Run(a *action.Action) error {
	cfg, err := a.ReadConfig()
	if err != nil {
		return err
	}
	args, original := a.Args, a.Original
	if a.ByFrontend() {
		if args, err = withGivenGcflags(a); err != nil {
			return err
		}
		original = args
	}
	l := &linking{Action: a, config: cfg, args: args}
	switch registers, err := l.read(); {
	case err != nil:
		return err
	case !registers:
		return a.PassOn(original)
	}
	return l.run()
}

// A linking is a link action that is being changed.
type linking struct {
	*action.Action
	config *config.Config
	args   []string             // the action's, without what the front-end has added
	dir    string               // ours, see MakeDir
	cfg    *toolchain.Importcfg // of the program; archives are added to it
	main   *registry.Metadata

	unlisted string // which functions the program does not list

	compilerVersion []byte // see readCompilerVersion
}

// read reads which packages the program has, warns about settings that are most likely
// mistakes, and reports whether the program imports the registry.
func (l *linking) read() (registers bool, err error) {
	cfgFile, ok := toolchain.FlagValue(l.args, "-importcfg")
	out, ok2 := toolchain.FlagValue(l.args, "-o")
	if !ok || !ok2 {
		return false, nil
	}
	if err := warn(os.Stderr, l.ImportPath, l.config, cfgFile); err != nil {
		return false, err
	}
	if l.main, err = registry.ReadMetadata(l.args[len(l.args)-1]); err != nil {
		return false, fmt.Errorf("reading the archive of main: %w", err)
	}
	if l.cfg, err = toolchain.ReadImportcfg(cfgFile); err != nil {
		return false, err
	}
	switch {
	case l.main == nil:
		return false, warnUnmarked(os.Stderr, l.ImportPath, l.config, l.cfg)
	case l.main.Main == nil:
		warnNotMarked(os.Stderr, l.main, true)
		return false, nil
	}
	l.dir, err = l.MakeDir(out)
	return err == nil, err
}

// run links a program that imports the registry.
func (l *linking) run() error {
	release, err := toolchain.ObjectVersion(l.cfg.Packages["runtime"])
	if err != nil || toolchain.NewerThanKnown(release) {
		return l.tryLink(release)
	}
	if err := toolchain.CheckRelease(release); err != nil {
		return err
	}
	if err := l.addRegistry(); err != nil {
		return err
	}
	cmd, err := l.linkCommand()
	if err != nil {
		return err
	}
	return action.RunProcess(cmd)
}

// linkCommand returns the command that links with the importcfg as it now is.
func (l *linking) linkCommand() (*exec.Cmd, error) {
	file := filepath.Join(l.dir, "importcfg.link")
	if err := l.cfg.Write(file); err != nil {
		return nil, err
	}
	return l.Command(toolchain.SetFlag(l.args, "-importcfg", file))
}

// addRegistry compiles hitrt and the registry, and adds them and what they need
// to the importcfg.
func (l *linking) addRegistry() error {
	packages, err := l.markedPackages()
	if err != nil {
		return err
	}
	if len(packages) == 0 {
		if err := warnUnmarked(os.Stderr, l.ImportPath, l.config, l.cfg); err != nil {
			return err
		}
	}
	total, err := checkCount(l.config, packages)
	if err != nil {
		return err
	}
	l.Log.Linked(total, l.config.Unmatched(append(l.cfg.Paths(), l.main.ImportPath)))
	signals, err := l.leavesSignals(packages) // before hitrt's own imports are there
	if err != nil {
		return err
	}
	if err := l.addHitrt(); err != nil {
		return fmt.Errorf("adding hitrt: %w", err)
	}
	builtBy, err := toolid.BuildName(l.Sources)
	if err != nil {
		return err
	}
	name, err := l.programName()
	if err != nil {
		return err
	}
	build, err := l.buildInfo()
	if err != nil {
		return err
	}
	program := registry.Program{Main: name, BuiltBy: builtBy, Settings: l.config.BuiltIn(), Signals: signals, Build: build, Unlisted: l.unlisted}
	if err := l.addEvidence(&program, packages); err != nil {
		return err
	}
	source, err := registry.Source(program, packages)
	if err != nil {
		return err
	}
	file := filepath.Join(l.dir, "registry.go")
	if err := os.WriteFile(file, source, 0o666); err != nil {
		return err
	}
	archive, err := l.compileRegistry(file)
	if err != nil {
		return fmt.Errorf("compiling the registry: %w", err)
	}
	return toolchain.PatchFingerprint(archive, l.main.Main.Fingerprint)
}

// programName returns the import path of the main package. Where compile was not told, it
// is the one that the builder records in the program, or else the name of the program's
// file.
func (l *linking) programName() (string, error) {
	if l.main.ImportPath != "main" {
		return l.main.ImportPath, nil
	}
	info, err := l.buildInfo()
	if err != nil {
		return "", err
	}
	out, _ := toolchain.FlagValue(l.args, "-o")
	name := cmp.Or(info.Path, strings.TrimSuffix(filepath.Base(out), ".exe"))
	warnUnknownMain(os.Stderr, name, l.config, l.main)
	return name, nil
}

// markedPackages returns the metadata of all packages of the program that have functions,
// sorted by import path, and notes which functions are not in it. It warns about packages
// that were compiled without marks.
func (l *linking) markedPackages() ([]*registry.Metadata, error) {
	all := []*registry.Metadata{l.main}
	var plain []string
	mainArchive := l.args[len(l.args)-1]
	for _, p := range l.cfg.Paths() {
		archive := l.cfg.Packages[p]
		if archive == mainArchive {
			continue
		}
		m, err := registry.ReadMetadata(archive)
		if errors.Is(err, fs.ErrNotExist) {
			continue // rules_go lists every directory of std; link says so if it needs one
		}
		if err != nil {
			return nil, err
		}
		if m == nil {
			if !registry.IsOurs(p) {
				plain = append(plain, p)
			}
			continue
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *registry.Metadata) int { return cmp.Compare(a.ImportPath, b.ImportPath) })
	for _, m := range all {
		warnNotMarked(os.Stderr, m, m == l.main)
	}
	l.unlisted = unlisted(plain, all, l.config.Closures)
	return slices.DeleteFunc(all, func(m *registry.Metadata) bool { return len(m.Functions) == 0 }), nil
}
