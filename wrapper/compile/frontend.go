// Compile actions of builds by scavenger-wrap go. Every package that may match has the ID
// flag. It is an error if a package matches and does not have it.

package compile

import (
	"errors"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// compileByFrontend does a compile action of a build by the front-end.
func compileByFrontend(a *action.Action) error {
	flags, files := toolchain.SplitSources(a.Args)
	p, _ := toolchain.FlagValue(flags, "-p")
	path := toolchain.PackagePath(a.ImportPath, p)
	switch {
	case toolchain.HasFlag(flags, "-std"):
		a.Log.Note(action.OutcomeNotMarked, "the standard library")
		return a.PassThrough()
	case !a.HasID && (registry.IsOurs(path) || toolchain.IsTestMain(files)):
		return a.PassThrough()
	}
	cfg, err := a.ReadConfig()
	switch {
	case err != nil:
		return err
	case a.HasID:
		return compilePackage(a, cfg)
	case p == "main" || cfg.Match(path) && cfg.FromModules(path, toolchain.PackageDir(flags, files)):
		return errors.New("compiled without the flag that says that it may be marked: " +
			"a flag that scavenger-wrap does not know hides -gcflags; use go with -toolexec=scavenger-wrap")
	}
	a.Log.Note(action.OutcomeNotMarked, NoMatch(cfg, path))
	return a.PassThrough()
}
