// What a build says of settings that are most likely not meant so.
//
// Mistakes that are certain stop a build. These are not certain, and are said
// when a program of the main module is linked: a program that reports nothing
// looks like one that does.

package wrapper

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/config"
)

// warn writes a line for each. It does so for programs of the main modules only:
// a build can have others, such as generators, that the settings are not about.
func (a *action) warn(out io.Writer, importcfgFile string) error {
	main := packagePath(a.importPath, "")
	if strings.HasSuffix(main, ".test") || !a.config.OfModules(main) {
		return nil
	}
	if note := a.config.HalfCollector; note != "" {
		fmt.Fprintf(out, "scavenger-wrap: %s\n", note)
	}
	if len(a.config.Unfounded(nil)) == 0 {
		return nil
	}
	cfg, err := readImportcfg(importcfgFile)
	if err != nil {
		return err
	}
	for _, s := range a.config.Unfounded(append(slices.Clip(cfg.paths()), main)) {
		fmt.Fprintf(out, "scavenger-wrap: %s\n", unfounded(s))
	}
	return nil
}

func unfounded(s config.Setting) string {
	return fmt.Sprintf("%s: %s: %q matches no package, as neither the main module has such a directory nor go.mod such a module; scavenger-wrap scan shows the packages there are", s.From, s.Key.Name, s.List[0])
}
