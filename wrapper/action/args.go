// The flags that stand before the tool in the toolexec value.

package action

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// Flags are the flags that stand before the tool in the toolexec value:
// -toolexec="scavenger-wrap -config=scavenger.toml -next=PROGRAM".
type Flags struct {
	Config   string   // the settings file
	Next     []string // the next program of a chain, with arguments of its own
	frontend string   // "" in a build that is not by scavenger-wrap go; see FrontendFlag
	SDK      string   // the directory of tools of the SDK that we are a tool of, or ""

	// The flags of the go command that say where go.mod is, by the front-end.
	modFile, overlay string
}

// ParseFlags splits off the flags that stand before the tool. It first reads a
// response file that holds the tool's name too. A tool of an SDK gets its flags here.
func ParseFlags(args []string) (rest []string, flags Flags, err error) {
	args = ofSDK(args)
	if len(args) == 2 && strings.HasPrefix(args[1], "@") {
		// We were started by the name compile: the tool's name is in the file too.
		if args, err = expandWithTool(args); err != nil {
			return nil, flags, err
		}
	}
	for len(args) > 1 {
		name, value, ok := strings.Cut(toolchain.OneDash(args[1]), "=")
		if (name == "-config" || name == "-next") && !ok && len(args) > 2 {
			value, ok = args[2], true // -config FILE
			args = slices.Delete(slices.Clone(args), 2, 3)
		}
		switch {
		case !ok:
			return args, flags, nil
		case name == "-next":
			if flags.Next, err = toolchain.SplitQuoted(value); err != nil || len(flags.Next) == 0 {
				return nil, flags, fmt.Errorf("-next=%s: want the toolexec program to be run after this one", value)
			}
		case name == "-modfile":
			flags.modFile = value
		case name == "-overlay":
			flags.overlay = value
		case name == "-sdk":
			flags.SDK, flags.Config = value, sdkSettings(value)
		case name == "-frontend":
			flags.frontend = value
		case name == "-config":
			if flags.Config = value; value == "" {
				return nil, flags, errors.New("-config=: want the settings file")
			}
		default:
			return args, flags, nil
		}
		if len(args) == 2 {
			return nil, flags, fmt.Errorf("%s: no tool follows", args[1])
		}
		args = append([]string{args[0]}, args[2:]...)
	}
	return args, flags, nil
}

// ModuleFlags returns the flags that say where go.mod is, in the form that ParseFlags
// takes. It leaves out empty ones.
func ModuleFlags(modFile, overlay string) []string {
	var words []string
	if modFile != "" {
		words = append(words, "-modfile="+modFile)
	}
	if overlay != "" {
		words = append(words, "-overlay="+overlay)
	}
	return words
}

// expandWithTool expands a response file that also names the tool. The file has the form
// that this tool reads, so both forms are tried.
func expandWithTool(args []string) ([]string, error) {
	reason := fmt.Errorf("reading response file: %s names no tool", strings.TrimPrefix(args[1], "@"))
	for _, quoted := range []bool{true, false} {
		expanded, err := toolchain.ExpandAs(args, quoted)
		if err != nil {
			return nil, err
		}
		rest, _, err := ParseFlags(expanded)
		if err != nil || len(rest) < 2 {
			continue
		}
		path, err := exec.LookPath(rest[1])
		if err != nil {
			continue
		}
		reads, err := toolchain.ReadsQuoted(path)
		if err != nil {
			reason = err
		} else if reads == quoted {
			return expanded, nil
		}
	}
	return nil, reason
}

// GivenGcflags returns the value of -gcflags that the front-end was given.
func (f *Flags) GivenGcflags() (string, error) {
	value, err := hex.DecodeString(strings.TrimPrefix(f.frontend, "."))
	return string(value), err
}
