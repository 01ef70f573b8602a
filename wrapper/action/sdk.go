// SDKs: trees of links to a GOROOT in which compile and link are scavenger-wrap, for
// builders that start the tools themselves (wrapper/command/sdk.go makes them). Beside the
// two are their settings, and the real ones in a directory of their own.

package action

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/early"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// In the directory of tools of an SDK.
const (
	SDKTools = early.SDKTools // the directory of the real compile and link
	SDKHitrt = "hitrt"        // that of hitrt's archives
)

// ofSDK returns the arguments of a process that was started as a tool of an SDK in the
// form that it has for the go command: flags of ours, the real tool, its arguments. Other
// arguments it returns as they are.
func ofSDK(args []string) []string {
	if len(args) == 0 {
		return args
	}
	name := toolchain.ToolName(args[0])
	if name != "compile" && name != "link" {
		return args
	}
	// The name with which we were started, and not our executable: the tools may be links
	// to it. Who starts a tool names it with its directory.
	dir, err := filepath.Abs(filepath.Dir(args[0]))
	if err != nil || !strings.ContainsAny(args[0], `/\`) {
		return args
	}
	real := filepath.Join(dir, SDKTools, filepath.Base(args[0]))
	if _, err := os.Stat(real); err != nil {
		return args
	}
	return append([]string{args[0], "-sdk=" + dir, real}, args[1:]...)
}

// sdkSettings returns the settings file of an SDK. If there is none, reading it says so.
func sdkSettings(dir string) string {
	conf := filepath.Join(dir, config.PropertiesName)
	if _, err := os.Stat(conf); err == nil {
		return conf
	}
	return filepath.Join(dir, config.FileName)
}
