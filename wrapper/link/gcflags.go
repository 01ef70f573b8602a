// The value of -gcflags that is recorded in programs built by scavenger-wrap go.

package link

import (
	"path/filepath"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// withGivenGcflags returns link's arguments with another importcfg. Its modinfo line has
// the value of -gcflags that the user gave, without the ID flag. Link writes that line
// into the program, and go version -m shows it.
func withGivenGcflags(a *action.Action) ([]string, error) {
	file, ok := toolchain.FlagValue(a.Args, "-importcfg")
	out, ok2 := toolchain.FlagValue(a.Args, "-o")
	if !ok || !ok2 {
		return a.Args, nil
	}
	cfg, err := toolchain.ReadImportcfg(file)
	if err != nil {
		return nil, err
	}
	given, err := a.Flags.GivenGcflags()
	if err != nil {
		return nil, err
	}
	if err := cfg.SetGcflags(given); err != nil {
		return nil, err
	}
	dir, err := a.MakeDir(out)
	if err != nil {
		return nil, err
	}
	file = filepath.Join(dir, "importcfg")
	if err := cfg.Write(file); err != nil {
		return nil, err
	}
	return toolchain.SetFlag(a.Args, "-importcfg", file), nil
}
