// What rewrite needs to type-check a package: the constants and types of imported
// packages, from their archives.

package compile

import (
	"cmp"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"runtime"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/rewrite"
)

// typed sets the options that say how the package is type-checked, where that is
// needed, and whether function literals are listed by themselves.
func (c *compilation) typed(opts *rewrite.Options) {
	if opts.Closures = ClosuresOf(c.config); opts.Closures != nil {
		if release, err := c.release(); err == nil && release != "" {
			opts.Closures.Release = release
		}
	}
	opts.Arch = Goarch()
	cfg, err := c.importcfg()
	if err != nil {
		return // the compiler will say what is wrong with that
	}
	opts.Importer = archiveImporter{importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		archive, ok := cfg.Packages[cfg.Imported(path)]
		if !ok {
			return nil, fmt.Errorf("no archive of %s", path)
		}
		return os.Open(archive)
	})}
}

// An archiveImporter imports packages from their archives. Where go/importer panics, it
// returns an error: that happens if the release of Go that wrote an archive is newer than
// the one that built us. What depends on the package is then unknown.
type archiveImporter struct{ gc types.Importer }

func (i archiveImporter) Import(path string) (pkg *types.Package, err error) {
	defer func() {
		if r := recover(); r != nil {
			pkg, err = nil, fmt.Errorf("importing %s: %v", path, r)
		}
	}()
	return i.gc.Import(path)
}

// ClosuresOf returns the options for function literals outside a compile action. Their
// names may differ from those in a build, and constants of other packages may rule out
// some of them there. It returns nil if function literals belong to the function around
// them.
func ClosuresOf(c *config.Config) *rewrite.Closures {
	if !c.Closures {
		return nil
	}
	return &rewrite.Closures{Release: cmp.Or(os.Getenv("GOVERSION"), runtime.Version())}
}

// Goarch returns the architecture that the build is for.
func Goarch() string { return cmp.Or(os.Getenv("GOARCH"), runtime.GOARCH) }
