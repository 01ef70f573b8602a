// Packages that rewrite cannot parse, or fails to mark because of a bug.

package compile

import (
	"fmt"
	goversion "go/version"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/rewrite"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// unreadable handles a package that rewrite cannot parse, or has a bug for. Most likely it is
// not Go, and the compiler reports that in its own words. If the compiler accepts the package,
// its functions are listed as not observable, as far as they can be found.
func (c *compilation) unreadable(opts rewrite.Options, sources []rewrite.Source, err error) {
	reason := err.Error()
	for i, source := range sources {
		reason = strings.ReplaceAll(reason, filepath.Dir(source.Name)+string(filepath.Separator), "")
		sources[i].Text = rewrite.WithoutBodies(source.Text)
	}
	if res, err := rewrite.Package(opts, sources); err == nil {
		c.list(res)
	}
	if release, err := c.release(); err == nil {
		reason += newerLanguage(release, runtime.Version())
	}
	c.notMarked(reason, "not readable for marking")
}

// newerLanguage returns what to do if a package that was not understood is compiled by a
// later release of Go than that which we were built with.
func newerLanguage(release, builtWith string) string {
	known := toolchain.ReleaseOf(strings.Fields(builtWith))
	if known == "" || goversion.Compare(goversion.Lang(release), goversion.Lang(known)) <= 0 {
		return ""
	}
	return fmt.Sprintf(" (this scavenger-wrap was built with %s and knows no later Go: build it with %s)", known, release)
}
