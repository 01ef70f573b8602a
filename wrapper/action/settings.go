// The settings of an action. To find go.mod, an action has to know the flags of the go
// command that say where it is. The environment has them only if they are in GOFLAGS, so
// the action also reads the go command's command line.

package action

import (
	"os"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/evidence"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain/lean"
)

// ReadConfig returns the settings of the build that the action belongs to.
func (a *Action) ReadConfig() (*config.Config, error) {
	if a.Flags.SDK != "" {
		// Its modules are there too. Which files of the workspace a builder lets an action
		// see must not matter.
		return config.Load(config.Source{Dir: a.Flags.SDK, File: a.Flags.Config, Lookup: os.LookupEnv})
	}
	dir, err := a.WorkingDir()
	if err != nil {
		return nil, err
	}
	from := config.Source{Dir: dir, File: a.Flags.Config, Lookup: os.LookupEnv, ModFile: a.Flags.modFile, Overlay: a.Flags.overlay}
	if from.ModFile == "" && from.Overlay == "" {
		from.ModFile, from.Overlay = outerModule()
	}
	return config.Load(from)
}

// ReadEvidence returns the evidence that the settings name, nil without any. An SDK has
// none: its builders do not know that a program depends on it.
func (a *Action) ReadEvidence(c *config.Config) (*evidence.Digest, error) {
	if a.Flags.SDK != "" {
		return nil, nil
	}
	places := evidence.Places{Cache: os.Getenv("GOCACHE")}
	if out, ok := toolchain.FlagValue(a.Args, "-o"); ok {
		places.Work = lean.WorkDirectory(out)
	}
	return evidence.Read(c, places, a.Calls)
}

// outerModule returns the flags that say where go.mod is, from the go command that
// started this action. It returns "" for what it cannot read; link warns if that
// matters.
func outerModule() (modFile, overlay string) {
	command := new(toolchain.GoCommand)
	if parent, err := toolchain.ReadParent(); err == nil {
		if c, err := toolchain.ParseGoCommand(parent.Args); err == nil {
			command = c
		}
	}
	if goflags, err := toolchain.SplitQuoted(os.Getenv("GOFLAGS")); err == nil {
		command.SetGOFLAGS(goflags)
	}
	return command.Module()
}
