// What rewrite needs to give function literals the runtime's names: the
// constants and types of imported packages, from their archives.

package wrapper

import (
	"cmp"
	"fmt"
	"go/importer"
	"go/token"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/rewrite"
)

// typed sets the options that say how the package is type-checked, where that is
// needed, and whether function literals are listed by themselves.
func (c *compilation) typed(opts *rewrite.Options) {
	if opts.Closures = closuresOf(c.config); opts.Closures != nil {
		if release, err := c.release(); err == nil && release != "" {
			opts.Closures.Release = release
		}
	}
	opts.Arch = goarch()
	cfg, err := c.importcfg()
	if err != nil {
		return // the compiler will say what is wrong with that
	}
	opts.Importer = importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		archive, ok := cfg.packages[cfg.imported(path)]
		if !ok {
			return nil, fmt.Errorf("no archive of %s", path)
		}
		return os.Open(archive)
	})
}

// closuresOf is what there is to know without a compile action: the names may
// be other ones then, the literals are the same but for those that constants of
// other packages rule out. It returns nil if function literals belong to the function
// around them.
func closuresOf(c *config.Config) *rewrite.Closures {
	if !c.Closures {
		return nil
	}
	return &rewrite.Closures{Release: cmp.Or(os.Getenv("GOVERSION"), runtime.Version())}
}

// goarch returns the architecture that the build is for.
func goarch() string { return cmp.Or(os.Getenv("GOARCH"), runtime.GOARCH) }

// imported returns the import path that a path in the source stands for, which
// is another one if the package is vendored by the standard library.
func (c *importcfg) imported(path string) string {
	for _, line := range c.lines {
		if rest, ok := strings.CutPrefix(line, "importmap "); ok {
			if before, after, ok := strings.Cut(strings.TrimSpace(rest), "="); ok && before == path {
				return after
			}
		}
	}
	return path
}
