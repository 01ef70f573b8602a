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
	"path/filepath"
	"slices"
	"strings"
)

// command returns the command that runs the action's tool with other arguments,
// through the next program of the chain, which may know nothing of response files.
func (a *action) command(args []string) (*exec.Cmd, error) {
	if next := a.flags.next; len(next) > 0 {
		return exec.Command(next[0], slices.Concat(next[1:], []string{a.path}, args)...), nil
	}
	args, err := a.shortened(args)
	return exec.Command(a.path, args...), err
}

// shortened returns arguments for the action's tool, which may be a response file
// that holds them.
func (a *action) shortened(args []string) ([]string, error) {
	if !needsResponseFile(a.path, args) {
		return args, nil
	}
	out, _ := flagValue(args, "-o")
	dir, err := a.makeDir(out)
	if err != nil {
		return nil, err
	}
	return writeResponseFile(a.path, filepath.Join(dir, "args"), args)
}

// passOn becomes the action's tool, with other arguments.
func (a *action) passOn(args []string) error {
	cmd, err := a.command(args)
	if err != nil {
		return err
	}
	if cmd.Err != nil {
		return fmt.Errorf("-next: %q: %w", a.flags.next[0], unwrapExec(cmd.Err))
	}
	if a.own.path != "" && !a.own.keep && slices.Contains(cmd.Args, "@"+filepath.Join(a.own.path, "args")) {
		return runProcess(cmd) // the arguments are to be removed when it has ended
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
