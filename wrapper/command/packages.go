// The packages of a build as the commands see them: what `go list` says.

package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.uber.org/zap/zapcore"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/rewrite"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/compile"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/evidence"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// allPackages returns patterns for the packages below the working directory. In a workspace
// each module has its own, as the go command wants it.
func (cmd *commands) allPackages() ([]string, error) {
	from, err := cmd.buildSource()
	if err != nil {
		return nil, err
	}
	root, dirs, err := config.ModuleDirs(from)
	switch {
	case err != nil:
		return nil, err
	case root == "":
		return nil, errors.New("no go.mod here or above: run it in the module of your program, or name packages")
	}
	var patterns []string
	for _, dir := range dirs {
		if rel, err := filepath.Rel(dir, from.Dir); err == nil && filepath.IsLocal(rel) {
			patterns = append(patterns, "./...") // the working directory is in the module
		} else if rel, err := filepath.Rel(from.Dir, dir); err == nil && filepath.IsLocal(rel) {
			patterns = append(patterns, "./"+filepath.ToSlash(rel)+"/...")
		}
	}
	slices.Sort(patterns)
	if patterns = slices.Compact(patterns); len(patterns) == 0 {
		return nil, fmt.Errorf("no module of the workspace is in this directory: run it in %s, or name packages", root)
	}
	return patterns, nil
}

// list returns the packages that patterns name, and all that they import. Without
// patterns it lists the packages below the working directory.
func (cmd *commands) list(patterns []string) ([]toolchain.ListedPackage, error) {
	if len(patterns) == 0 {
		var err error
		if patterns, err = cmd.allPackages(); err != nil {
			return nil, err
		}
	}
	flags := []string{"-e", "-deps"}
	cmd.log.log(zapcore.DebugLevel, "run", stringField("command", strings.Join(slices.Concat([]string{"go", "list"}, flags, patterns), " ")))
	packages, err := toolchain.GoList{Program: "go"}.Packages(context.Background(), "ImportPath,Name,Dir,GoFiles,CgoFiles,Standard,DepOnly,Module,Error", flags, patterns...)
	switch {
	case err != nil:
		return nil, err
	case len(packages) == 0:
		return nil, fmt.Errorf("no package matches %s", strings.Join(patterns, " "))
	}
	for _, p := range packages {
		if p.Error != nil && !p.DepOnly {
			return nil, errors.New(p.Error.Err)
		}
	}
	return packages, nil
}

// matches reports whether a build would mark the package.
func matches(c *config.Config, p *toolchain.ListedPackage) bool {
	return c.Match(p.ImportPath) && c.FromModules(p.ImportPath, p.Dir)
}

// mark marks a package as a build would with some evidence. Only a package with cgo differs:
// here its files are marked before cgo has changed them.
func mark(c *config.Config, p *toolchain.ListedPackage, digest *evidence.Digest) (*rewrite.Result, []rewrite.Source, error) {
	var sources []rewrite.Source
	for _, name := range slices.Concat(p.GoFiles, p.CgoFiles) {
		file := filepath.Join(p.Dir, name)
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, err
		}
		sources = append(sources, rewrite.Source{Name: file, Text: text})
	}
	res, err := rewrite.Package(rewrite.Options{
		ImportPath: p.ImportPath,
		Dir:        c.SourceDir(p.ImportPath),
		Filter:     compile.FilterOf(c, p.ImportPath),
		Closures:   compile.ClosuresOf(c),
		Arch:       compile.Goarch(),
		Presumed:   digest.Package(p.ImportPath).Has,
	}, sources)
	return res, sources, err
}
