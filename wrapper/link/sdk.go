// The archives of hitrt that an SDK brings with it. Its link tool mostly runs where there
// is no $GOCACHE to keep them in, and would compile hitrt for every program.

package link

import (
	"fmt"
	"go/build"
	"io/fs"
	"path/filepath"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// An SDK is what hitrt is compiled for in advance.
type SDK struct {
	Tools   string // the directory of its tools
	Link    string // the real link
	Temp    string // for files that are not kept
	Sources fs.FS
	Flags   []string // that every package of a program is compiled with: -race
	Config  *config.Config

	// Archives returns the archives of packages of the standard library.
	Archives func(importPaths ...string) (map[string]string, error)
}

// KeepHitrt compiles hitrt and keeps the archives in the SDK.
func (s *SDK) KeepHitrt() error {
	l := &linking{
		Action: &action.Action{Path: s.Link, Sources: s.Sources, Flags: action.Flags{SDK: s.Tools}},
		config: s.Config, dir: s.Temp, cfg: toolchain.ParseImportcfg(""),
		main: &registry.Metadata{Main: &registry.MainMetadata{Flags: s.Flags}},
	}
	if err := s.add(l, "runtime"); err != nil { // it tells the platform
		return err
	}
	for _, dir := range hitrtPackages {
		p, err := l.readHitrt(dir)
		if err != nil {
			return err
		}
		if err := s.add(l, stdlibImports(p)...); err != nil {
			return err
		}
		key, err := l.hitrtKey(p)
		if err != nil {
			return err
		}
		archive, err := l.compileHitrt(p, p.Imports)
		if err != nil {
			return fmt.Errorf("compiling %s: %w", dir, err)
		}
		keep(filepath.Join(s.Tools, action.SDKHitrt, key), archive)
	}
	return nil
}

// add adds archives of the standard library to the importcfg.
func (s *SDK) add(l *linking, importPaths ...string) error {
	archives, err := s.Archives(importPaths...)
	for path, archive := range archives {
		l.cfg.Add(path, archive)
	}
	return err
}

// stdlibImports returns what a package of hitrt imports of the standard library.
func stdlibImports(p *build.Package) []string {
	var imports []string
	for _, path := range p.Imports {
		if !registry.IsOurs(path) && path != "unsafe" {
			imports = append(imports, path)
		}
	}
	return imports
}
