// Warnings about settings that are most likely mistakes.
//
// A certain mistake stops the build. These mistakes are not certain. They are shown when
// a program of the main module is linked, because a program that reports nothing looks
// like one that does.

package link

import (
	"cmp"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/plain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// warn writes a line for each such setting. It does so only for programs of the main
// modules, because a build may contain others, such as generators, that the settings are
// not about.
func warn(out io.Writer, importPath string, c *config.Config, importcfgFile string) error {
	main := toolchain.PackagePath(importPath, "")
	if strings.HasSuffix(main, ".test") || !c.OfModules(main) {
		return nil
	}
	for _, line := range action.Notices(c, func(module string) bool { return main == module || strings.HasPrefix(main, module+"/") }) {
		fmt.Fprintf(out, "scavenger-wrap: %s\n", line)
	}
	if note := c.NoAPIKey; note != "" {
		fmt.Fprintf(out, "scavenger-wrap: %s\n", note)
	}
	if len(c.CannotMatch(nil)) == 0 {
		return nil
	}
	cfg, err := toolchain.ReadImportcfg(importcfgFile)
	if err != nil {
		return err
	}
	for _, s := range c.CannotMatch(append(slices.Clip(cfg.Paths()), main)) {
		fmt.Fprintf(out, "scavenger-wrap: %s\n", CannotMatch(s))
	}
	return nil
}

// warnUnmarked writes a line about a program without marks if no setting says what to
// mark, and the program is of no main module or of one that we have not found.
func warnUnmarked(out io.Writer, importPath string, c *config.Config, cfg *toolchain.Importcfg) error {
	main := toolchain.PackagePath(importPath, "")
	if len(c.Packages) > 0 || len(c.AdditionalPackages) > 0 ||
		main == "" || strings.HasSuffix(main, ".test") || strings.HasPrefix(main, "cmd/") {
		return nil
	}
	text, err := cfg.Modinfo()
	if err != nil {
		return err
	}
	info, err := debug.ParseBuildInfo(text)
	if err != nil || text == "" {
		info = new(debug.BuildInfo)
	}
	module := info.Main.Path
	known := slices.ContainsFunc(c.Modules, func(m config.Module) bool { return m.Path == module })
	switch {
	case isMainModule(info) && !known:
		fmt.Fprintf(out, "scavenger-wrap: %s: nothing is marked, as its module %s is not the one that scavenger-wrap finds%s: give -modfile and -overlay in GOFLAGS, build with scavenger-wrap go, or name what to mark: %s=%s\n",
			main, module, ourModule(c), config.Variable("packages"), module)
	case !isMainModule(info) && (module == "" || len(c.Modules) == 0 || ofVersion()):
		fmt.Fprintf(out, "scavenger-wrap: %s: nothing is marked, as there is no main module: name what to mark: %s=%s\n",
			main, config.Variable("packages"), cmp.Or(module, main))
	}
	return nil
}

// warnNotMarked writes a line if a package that matches has no marks.
func warnNotMarked(out io.Writer, m *registry.Metadata, isMain bool) {
	if m.NotMarked == "" {
		return
	}
	effect := "its functions are not observable"
	switch {
	case isMain && m.Main == nil:
		effect = "the program reports nothing"
	case len(m.Functions) == 0:
		effect = "its functions are not listed"
	}
	fmt.Fprintf(out, "scavenger-wrap: %s: not marked: %s; %s\n", m.ImportPath, m.NotMarked, effect)
}

// warnUnknownMain writes a line if the functions of a main package are not listed because
// nobody has told compile its import path, which is name.
func warnUnknownMain(out io.Writer, name string, c *config.Config, m *registry.Metadata) {
	if len(m.Functions) == 0 && c.Match(name) {
		fmt.Fprintf(out, "scavenger-wrap: %s: the functions of its main package are not listed, as the builder calls it main, and this system does not tell how the builder was called\n", name)
	}
}

// isMainModule reports whether the program's module is a main module. The module of a
// dependency has the checksum of its download or, in a vendor directory, at least a
// version. A main module can have a version too. It then comes from version control,
// which the build records.
func isMainModule(info *debug.BuildInfo) bool {
	m := info.Main
	return m.Path != "" && m.Sum == "" && m.Replace == nil && (m.Version == "" || m.Version == "(devel)" ||
		slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "vcs" }))
}

func ourModule(c *config.Config) string {
	if len(c.Modules) == 0 {
		return ""
	}
	return " (" + c.Modules[0].Path + ")"
}

// ofVersion reports whether the go command builds package@version.
func ofVersion() bool {
	outer, err := plain.ReadOuterCommand()
	return err == nil && outer.OfVersion()
}

// CannotMatch returns the message about a pattern that matches no package of any program.
func CannotMatch(s config.Setting) string {
	return fmt.Sprintf("%s: %s: %q matches no package, as neither the main module has such a directory nor go.mod such a module; scavenger-wrap scan shows the packages there are", s.From, s.Key.Name, s.List[0])
}
