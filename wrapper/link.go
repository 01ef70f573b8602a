// The link action of a program that imports the registry.
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

package wrapper

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"

	"github.com/naver/scavenger/scavenger-wrap/config"
)

// runLink does a link action.
func runLink(a *action) error {
	cfg, err := a.readConfig()
	if err != nil {
		return err
	}
	args, original := a.args, a.original
	if a.byFrontend() {
		if args, err = withGivenGcflags(a); err != nil {
			return err
		}
		original = args
	}
	l := &linking{action: a, config: cfg, args: args}
	switch marked, err := l.read(); {
	case err != nil:
		return err
	case !marked:
		return a.passOn(original)
	}
	return l.run()
}

// read reads what the program consists of, warns of what is most likely not meant
// so, and reports whether the program has marks.
func (l *linking) read() (marked bool, err error) {
	cfgFile, ok := flagValue(l.args, "-importcfg")
	out, ok2 := flagValue(l.args, "-o")
	if !ok || !ok2 {
		return false, nil
	}
	if err := warn(os.Stderr, l.importPath, l.config, cfgFile); err != nil {
		return false, err
	}
	if l.main, err = readMetadata(l.args[len(l.args)-1]); err != nil {
		return false, fmt.Errorf("reading the archive of main: %w", err)
	}
	if l.cfg, err = readImportcfg(cfgFile); err != nil {
		return false, err
	}
	switch {
	case l.main == nil:
		return false, warnUnmarked(os.Stderr, l.importPath, l.config, l.cfg)
	case l.main.Main == nil:
		warnNotMarked(os.Stderr, l.main, true)
		return false, nil
	}
	l.dir, err = l.makeDir(out)
	return err == nil, err
}

// run links a program that has marks.
func (l *linking) run() error {
	release, err := objectVersion(l.cfg.packages["runtime"])
	if err != nil || newerThanKnown(release) {
		return l.tryLink(release)
	}
	if err := checkRelease(release); err != nil {
		return err
	}
	if err := l.addRegistry(); err != nil {
		return err
	}
	cmd, err := l.linkCommand()
	if err != nil {
		return err
	}
	return runProcess(cmd)
}

// linkCommand returns the command that links with the importcfg as it now is.
func (l *linking) linkCommand() (*exec.Cmd, error) {
	file := filepath.Join(l.dir, "importcfg.link")
	if err := l.cfg.write(file); err != nil {
		return nil, err
	}
	return l.command(setFlag(l.args, "-importcfg", file))
}

// A linking is a link action that is being changed.
type linking struct {
	*action
	config *config.Config
	args   []string   // the action's, but for what the front-end has put in
	dir    string     // ours, see makeDir
	cfg    *importcfg // of the program; archives are added to it
	main   *metadata
}

// addRegistry compiles hitrt and the registry, and adds them and what they need
// to the importcfg.
func (l *linking) addRegistry() error {
	packages, err := l.markedPackages()
	if err != nil {
		return err
	}
	if len(packages) == 0 {
		if err := warnUnmarked(os.Stderr, l.importPath, l.config, l.cfg); err != nil {
			return err
		}
	}
	total, err := checkCount(l.config, packages)
	if err != nil {
		return err
	}
	l.log.linked(total, l.config.Unmatched(append(l.cfg.paths(), l.main.ImportPath)))
	if err := l.addHitrt(); err != nil {
		return fmt.Errorf("adding hitrt: %w", err)
	}
	builtBy, err := buildName(l.sources)
	if err != nil {
		return err
	}
	source, err := registrySource(l.main.ImportPath, builtBy, l.config.Run, packages)
	if err != nil {
		return err
	}
	file := filepath.Join(l.dir, "registry.go")
	if err := os.WriteFile(file, source, 0o666); err != nil {
		return err
	}
	archive, err := l.compilePackage(registryPath, []string{file}, l.cfg.paths())
	if err != nil {
		return fmt.Errorf("compiling the registry: %w", err)
	}
	return patchFingerprint(archive, l.main.Main.Fingerprint)
}

// markedPackages returns the metadata of all packages of the program that have
// functions, sorted by import path. Of those without marks it says why.
func (l *linking) markedPackages() ([]*metadata, error) {
	all := []*metadata{l.main}
	mainArchive := l.args[len(l.args)-1]
	for _, p := range l.cfg.paths() {
		archive := l.cfg.packages[p]
		if archive == mainArchive {
			continue
		}
		m, err := readMetadata(archive)
		if err != nil {
			return nil, err
		}
		if m != nil {
			all = append(all, m)
		}
	}
	sortByImportPath(all)
	for _, m := range all {
		warnNotMarked(os.Stderr, m, m == l.main)
	}
	return slices.DeleteFunc(all, func(m *metadata) bool { return len(m.Functions) == 0 }), nil
}

// addHitrt compiles hitrt and adds it, and the packages that it needs, to the
// importcfg.
func (l *linking) addHitrt() error {
	dir := filepath.Join(l.dir, "hitrt")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	names, imports, err := l.hitrtFiles()
	if err != nil {
		return err
	}
	if err := l.addStdlib(imports); err != nil {
		return err
	}
	kept, err := l.keptHitrt(names, imports)
	if err != nil {
		return err
	}
	if archive := l.archive(hitrtPath); takeHitrt(kept, archive) {
		l.cfg.add(hitrtPath, archive)
		return nil
	}
	var files []string
	for _, name := range names {
		text, err := fs.ReadFile(l.sources, path.Join("hitrt", name))
		if err != nil {
			return err
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, text, 0o666); err != nil {
			return err
		}
		files = append(files, file)
	}
	// With no other archives than those that the file's name stands for.
	if archive, err := l.compilePackage(hitrtPath, files, imports); err == nil {
		keepHitrt(kept, archive)
		return nil
	}
	_, err = l.compilePackage(hitrtPath, files, l.cfg.paths())
	return err
}

// hitrtFlags are the flags that decide which code packages of ours become: the
// program's code generation flags among them.
func (l *linking) hitrtFlags() []string {
	return append([]string{"-lang=go1.24", "-complete", "-nolocalimports", "-pack"}, l.main.Main.Flags...)
}

// archive returns where the archive of a package of ours goes.
func (l *linking) archive(importPath string) string {
	return filepath.Join(l.dir, path.Base(importPath)+".a")
}

// compilePackage compiles files of one directory to an archive, against the
// program's archives of the import paths, and adds it to the importcfg.
func (l *linking) compilePackage(importPath string, files, imports []string) (archive string, err error) {
	archive = l.archive(importPath)
	cfgFile := filepath.Join(l.dir, "importcfg."+path.Base(importPath))
	if err := l.cfg.writePackages(cfgFile, imports); err != nil {
		return "", err
	}
	args := []string{"-o", archive, "-p", importPath, "-trimpath", filepath.Dir(files[0]) + "=>" + importPath, "-importcfg", cfgFile}
	args = append(args, l.hitrtFlags()...)
	cmd := exec.Command(siblingTool(l.path, "compile"), append(args, files...)...)
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stderr, &stderr
	if err := cmd.Run(); err != nil {
		// Our own source does not compile: not a matter that the user's tool
		// has reported.
		return "", fmt.Errorf("%w\n%s", err, stderr.Bytes())
	}
	l.cfg.add(importPath, archive)
	return archive, nil
}

// patchFingerprint overwrites the fingerprint of an archive.
func patchFingerprint(archive string, fingerprint []byte) error {
	data, err := os.ReadFile(archive)
	if err != nil {
		return err
	}
	i, err := fingerprintOffset(data)
	if err != nil {
		return err
	}
	if len(fingerprint) != fingerprintSize {
		return errors.New("the metadata of main has no fingerprint of the registry")
	}
	copy(data[i:], fingerprint)
	return os.WriteFile(archive, data, 0o666)
}

// objectTarget returns the platform that an archive is for.
func objectTarget(archive string) (goos, goarch string, err error) {
	f, err := objectHeader(archive)
	if err != nil {
		return "", "", err
	}
	return f[2], f[3], nil
}
