// Chains of toolexec programs. The go command takes only one, so each names
// the next: -toolexec="scavenger-wrap -next=PROGRAM". PROGRAM is then started
// as the go command would start it, with the tool and its arguments, which for
// a matching package are the ones of the marked files. It comes after us, so
// that what it does to a package is done to the marked one.
//
// What is ours alone does not go through it: hitrt, the registry and its stub.

package wrapper

import (
	"fmt"
	"os/exec"
	"strings"
)

// command returns the command that runs the action's tool with other arguments,
// through the next program of the chain.
func (a *action) command(args []string) *exec.Cmd {
	if len(a.options.next) == 0 {
		return exec.Command(a.path, args...)
	}
	return exec.Command(a.options.next[0], append(append(a.options.next[1:len(a.options.next):len(a.options.next)], a.path), args...)...)
}

// passOn becomes the action's tool, with other arguments.
func (a *action) passOn(args []string) error {
	cmd := a.command(args)
	if cmd.Err != nil {
		return fmt.Errorf("-next: %q: %w", a.options.next[0], unwrapExec(cmd.Err))
	}
	a.removeDir()
	a.log.write() // on most systems there is no return
	return replaceProcess(cmd.Path, cmd.Args[1:])
}

// splitQuoted splits a command into words as the go command splits -toolexec:
// at white space, except between two single or two double quotes that begin
// and end a word.
func splitQuoted(s string) ([]string, error) {
	var words []string
	for s = strings.TrimLeft(s, " \t\n\r"); s != ""; s = strings.TrimLeft(s, " \t\n\r") {
		if quote := s[0]; quote == '"' || quote == '\'' {
			end := strings.IndexByte(s[1:], quote)
			if end < 0 {
				return nil, fmt.Errorf("unterminated %c string", quote)
			}
			words = append(words, s[1:1+end])
			s = s[1+end+1:]
			continue
		}
		end := strings.IndexAny(s, " \t\n\r")
		if end < 0 {
			end = len(s)
		}
		words = append(words, s[:end])
		s = s[end:]
	}
	return words, nil
}

// joinQuoted is the inverse of splitQuoted.
func joinQuoted(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		switch {
		case !strings.ContainsAny(w, " \t\n\r'\""):
			quoted[i] = w
		case !strings.Contains(w, "'"):
			quoted[i] = "'" + w + "'"
		default:
			quoted[i] = `"` + w + `"`
		}
	}
	return strings.Join(quoted, " ")
}
