// The flags of builds by scavenger-wrap go (wrapper/command/gocmd.go): the ID flag of
// compile, and the one that tells each action that there is a front-end.

package action

import (
	"encoding/hex"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// IDFlag begins the flag of compile that says, in such a build, that a package may be
// marked. Its value is what the tool ID contains in other builds.
const IDFlag = "-scavenger="

// withoutIDFlag returns compile's arguments without the ID flag, and whether it is
// among them.
func withoutIDFlag(args []string) (kept []string, ok bool) {
	kept = slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return strings.HasPrefix(toolchain.OneDash(arg), IDFlag) })
	if len(kept) == len(args) {
		return args, false
	}
	// Before Go 1.26 the go command leaves out -c if it does not know one of the flags.
	if _, ok := toolchain.FlagValue(kept, "-c"); !ok {
		kept = append([]string{"-c=" + strconv.Itoa(min(4, runtime.GOMAXPROCS(0)))}, kept...)
	}
	return kept, true
}

// FrontendFlag returns the flag in the toolexec value that tells an action that there is
// a front-end. Its value holds the last value of -gcflags that the front-end was given.
func FrontendFlag(gcflags []string) string {
	if len(gcflags) == 0 {
		return "-frontend=."
	}
	return "-frontend=." + hex.EncodeToString([]byte(gcflags[len(gcflags)-1]))
}
