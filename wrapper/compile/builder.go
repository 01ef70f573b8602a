// Packages that another builder than the go command compiles. It does not say what they are.

package compile

import (
	"cmp"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// importPath returns the import path of the package that an action compiles. p is
// compile's -p. It is "main" for a main program of which no more is known.
func importPath(a *action.Action, p string) string {
	if a.ImportPath == "" && p == "main" {
		return cmp.Or(toolchain.BuilderImportPath(), p)
	}
	return toolchain.PackagePath(a.ImportPath, p)
}

// isTestMain reports whether the package is the generated main package of a test binary.
func (c *compilation) isTestMain() (bool, error) {
	if c.ImportPath != "" || c.symbolPrefix != "main" {
		return toolchain.IsTestMain(c.files), nil
	}
	cfg, err := c.importcfg()
	if err != nil {
		return false, err
	}
	return toolchain.IsTestMain(c.files) || toolchain.IsGeneratedTestMain(c.files, cfg), nil
}
