// Hitrt in the program: compiled from the source that scavenger-wrap carries, with the
// compile tool itself and against the program's own archives.

package link

import (
	"bytes"
	"fmt"
	"go/build"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// hitrtPackages are the directories of hitrt's packages, each after those that it
// imports.
var hitrtPackages = []string{"hitrt/datafile", "hitrt"}

// hitrtPath returns the import path of a package of hitrt in a directory.
func hitrtPath(dir string) string {
	return registry.HitrtPath + strings.TrimPrefix(dir, "hitrt")
}

// addHitrt compiles hitrt and adds it, and the packages that it needs, to the
// importcfg.
func (l *linking) addHitrt() error {
	var packages []*build.Package
	var imports []string
	for _, dir := range hitrtPackages {
		p, err := l.readHitrt(dir)
		if err != nil {
			return err
		}
		packages = append(packages, p)
		imports = append(imports, stdlibImports(p)...)
	}
	if err := l.addStdlib(slices.Compact(slices.Sorted(slices.Values(imports)))); err != nil {
		return err
	}
	for _, p := range packages {
		if _, ok := l.cfg.Packages[hitrtPath(p.Dir)]; ok {
			continue // the program is scavenger-wrap itself, which reads local files too
		}
		if err := l.addHitrtPackage(p); err != nil {
			return err
		}
	}
	return nil
}

// addHitrtPackage compiles one package of hitrt and adds it to the importcfg.
func (l *linking) addHitrtPackage(p *build.Package) error {
	archive := l.archive(hitrtPath(p.Dir))
	taken, kept, err := l.takeHitrt(p, archive)
	if err != nil {
		return err
	}
	if taken {
		l.cfg.Add(hitrtPath(p.Dir), archive)
		return nil
	}
	// The name of the kept file stands for these imports, so hitrt is compiled against no
	// other archives.
	if archive, err := l.compileHitrt(p, p.Imports); err == nil {
		keep(kept, archive)
		return nil
	}
	_, err = l.compileHitrt(p, l.cfg.Paths())
	return err
}

// compileHitrt compiles a package of hitrt against archives of the import paths.
func (l *linking) compileHitrt(p *build.Package, imports []string) (archive string, err error) {
	dir := filepath.Join(l.dir, filepath.FromSlash(p.Dir))
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	var files []string
	for _, name := range p.GoFiles {
		text, err := fs.ReadFile(l.Sources, path.Join(p.Dir, name))
		if err != nil {
			return "", err
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, text, 0o666); err != nil {
			return "", err
		}
		files = append(files, file)
	}
	return l.compilePackage(hitrtPath(p.Dir), files, imports)
}

// hitrtFlags returns the flags that packages of ours are compiled with, the program's
// code generation flags among them.
//
// Without inlining (-l) the compiler has a third less to do. hitrt's loops call little: to
// read the cells of 100,000 functions takes a tenth longer, which is 0.02 ms a second. Programs
// grow by 24 KiB, as more small functions remain. Where the network code is left out, for
// size, that would be 37.
func (l *linking) hitrtFlags() []string {
	flags := slices.Concat([]string{"-lang=go1.24", "-complete", "-nolocalimports", "-pack"}, l.main.Main.Flags, []string{"-dwarf=false"})
	if !l.config.NoNetwork {
		flags = append(flags, "-l")
	}
	return flags
}

// archive returns the file for the archive of a package of ours.
func (l *linking) archive(importPath string) string {
	return filepath.Join(l.dir, path.Base(importPath)+".a")
}

// compilePackage compiles files of one directory to an archive, against the
// program's archives of the import paths, and adds it to the importcfg.
func (l *linking) compilePackage(importPath string, files, imports []string) (archive string, err error) {
	archive = l.archive(importPath)
	cfgFile := filepath.Join(l.dir, "importcfg."+path.Base(importPath))
	if err := l.cfg.WritePackages(cfgFile, imports); err != nil {
		return "", err
	}
	args := []string{"-o", archive, "-p", importPath, "-trimpath", filepath.Dir(files[0]) + "=>" + importPath, "-importcfg", cfgFile}
	args = append(args, l.hitrtFlags()...)
	cmd := exec.Command(toolchain.SiblingTool(l.Path, "compile"), append(args, files...)...)
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stderr, &stderr
	if err := cmd.Run(); err != nil {
		// Our own source does not compile. The user has not seen the compiler's message,
		// so it is in the error.
		return "", fmt.Errorf("%w\n%s", err, stderr.Bytes())
	}
	l.cfg.Add(importPath, archive)
	return archive, nil
}

// readHitrt returns a package of hitrt with the files that the program's platform takes,
// and the packages that they import, in sorted order. Its Dir is the given one.
func (l *linking) readHitrt(dir string) (*build.Package, error) {
	goos, goarch, err := toolchain.ObjectTarget(l.cfg.Packages["runtime"])
	if err != nil {
		return nil, err
	}
	ctxt := build.Default
	ctxt.GOOS, ctxt.GOARCH, ctxt.CgoEnabled = goos, goarch, false
	ctxt.BuildTags = []string{"program"}
	if l.config.NoNetwork {
		ctxt.BuildTags = append(ctxt.BuildTags, "nonetwork")
	}
	if slices.Contains(l.main.Main.Flags, "-race") {
		ctxt.BuildTags = append(ctxt.BuildTags, "race")
	}
	ctxt.JoinPath = path.Join
	ctxt.IsDir = func(string) bool { return true }
	ctxt.HasSubdir = func(string, string) (string, bool) { return "", false }
	ctxt.OpenFile = func(name string) (io.ReadCloser, error) { return l.Sources.Open(name) }
	ctxt.ReadDir = func(dir string) ([]fs.FileInfo, error) {
		entries, err := fs.ReadDir(l.Sources, dir)
		if err != nil {
			return nil, err
		}
		var infos []fs.FileInfo
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				return nil, err
			}
			infos = append(infos, info)
		}
		return infos, nil
	}
	p, err := ctxt.ImportDir(dir, 0)
	if err != nil {
		return nil, fmt.Errorf("reading its source: %w", err)
	}
	return p, nil
}
