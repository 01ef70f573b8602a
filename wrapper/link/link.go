// Package link does link actions: those of programs that import the registry get
// hitrt and the registry itself.
//
// By now everything is known that was not when main was compiled: importcfg.link
// names the archive of every package of the program, and in those archives
// stands what is marked. So here the registry is generated and compiled, and
// hitrt too, from the source that scavenger-wrap carries, both with the compile
// tool itself and against the program's own archives. The standard library's
// packages that hitrt imports and the program lacks come from the go command
// (stdlib.go).
//
// The registry then takes the place of the stub that main was compiled against.
// The linker compares the fingerprint that an importer recorded with the one in
// the archive that it finds, because code compiled against one form of a package
// must not run with another. Main uses nothing of the registry but its
// initialisation, which both have, so the difference is none that could matter:
// the real archive is given the stub's fingerprint. Nothing else imports the
// registry, and everything that it imports keeps fingerprints of its own.
//
// It may import config, wrapper/plain, wrapper/registry, wrapper/toolid,
// wrapper/action and wrapper/toolchain.
package link

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

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
	switch marked, err := l.read(); {
	case err != nil:
		return err
	case !marked:
		return a.PassOn(original)
	}
	return l.run()
}

// read reads what the program consists of, warns of what is most likely not meant
// so, and reports whether the program has marks.
func (l *linking) read() (marked bool, err error) {
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

// run links a program that has marks.
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

// A linking is a link action that is being changed.
type linking struct {
	*action.Action
	config *config.Config
	args   []string             // the action's, but for what the front-end has put in
	dir    string               // ours, see MakeDir
	cfg    *toolchain.Importcfg // of the program; archives are added to it
	main   *registry.Metadata
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
	if err := l.addHitrt(); err != nil {
		return fmt.Errorf("adding hitrt: %w", err)
	}
	builtBy, err := toolid.BuildName(l.Sources)
	if err != nil {
		return err
	}
	source, err := registry.Source(l.main.ImportPath, builtBy, l.config.Run, packages)
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

// markedPackages returns the metadata of all packages of the program that have
// functions, sorted by import path. Of those without marks it says why.
func (l *linking) markedPackages() ([]*registry.Metadata, error) {
	all := []*registry.Metadata{l.main}
	mainArchive := l.args[len(l.args)-1]
	for _, p := range l.cfg.Paths() {
		archive := l.cfg.Packages[p]
		if archive == mainArchive {
			continue
		}
		m, err := registry.ReadMetadata(archive)
		if err != nil {
			return nil, err
		}
		if m != nil {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b *registry.Metadata) int { return cmp.Compare(a.ImportPath, b.ImportPath) })
	for _, m := range all {
		warnNotMarked(os.Stderr, m, m == l.main)
	}
	return slices.DeleteFunc(all, func(m *registry.Metadata) bool { return len(m.Functions) == 0 }), nil
}
