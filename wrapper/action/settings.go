// The settings of an action. They need the flags of the go command that say where
// go.mod is. Its environment has them only if they are in GOFLAGS, so an action reads
// its command line too.

package action

import (
	"os"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// ReadConfig returns the settings of the build that the action is of.
func (a *Action) ReadConfig() (*config.Config, error) {
	dir, err := a.WorkingDir()
	if err != nil {
		return nil, err
	}
	module := a.Flags.module
	if module == nil {
		call, err := toolchain.OuterGoCall()
		if err != nil { // of which link speaks if it matters
			call = new(toolchain.GoCall)
		}
		if goflags, err := toolchain.SplitQuoted(os.Getenv("GOFLAGS")); err == nil {
			call.AddGOFLAGS(goflags)
		}
		module = call.Module
	}
	return config.Load(config.Source{Dir: dir, File: a.Flags.Config, Lookup: os.LookupEnv, ModFile: module["modfile"], Overlay: module["overlay"]})
}
