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

// typed sets the options that say whether function literals are listed separately, and
// how the package is type-checked if that is needed.
func (c *compilation) typed(opts *rewrite.Options) {
	if opts.Closures = ClosuresOf(c.config); opts.Closures != nil {
		if release, err := c.release(); err == nil && release != "" {
			opts.Closures.Release = release
		}
	}
	opts.Arch = Goarch()
	cfg, err := c.importcfg()
	if err != nil {
		return // the compiler reports it
	}
	opts.Importer = archiveImporter{importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		archive, ok := cfg.Packages[cfg.Imported(path)]
		if !ok {
			return nil, fmt.Errorf("no archive of %s", path)
		}
		return os.Open(archive)
	})}
}

// An archiveImporter imports packages from their archives. go/importer panics if the
// release of Go that wrote an archive is newer than the release that built us. An
// archiveImporter then returns an error, and rewrite takes what depends on that package
// for unknown.
type archiveImporter struct{ gc types.Importer }

func (i archiveImporter) Import(path string) (pkg *types.Package, err error) {
	defer func() {
		if r := recover(); r != nil {
			pkg, err = nil, fmt.Errorf("importing %s: %v", path, r)
		}
	}()
	return i.gc.Import(path)
}

// ClosuresOf returns the options for function literals, or nil if a literal belongs to
// the function around it. A command that uses them may list literals by other names than
// a build, because it does not know which release compiles. It may also list literals
// that constants of other packages rule out.
func ClosuresOf(c *config.Config) *rewrite.Closures {
	if !c.Closures {
		return nil
	}
	return &rewrite.Closures{Release: cmp.Or(os.Getenv("GOVERSION"), runtime.Version())}
}

// Goarch returns the architecture that the build is for.
func Goarch() string { return cmp.Or(os.Getenv("GOARCH"), runtime.GOARCH) }
