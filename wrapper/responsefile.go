// Response files: a tool's arguments in a file, one a line, where there are
// more than a command line takes (on Windows that is 32 kB, a package of 500
// files). The command line then is "compile @file".
//
// The go command writes one only for a program that is called compile, link,
// cgo, asm or cover, as it does not know that others understand them. With
// -toolexec that program is scavenger-wrap: a copy of it by the name of
// "compile" is given response files, in which the name of the tool comes first.

package wrapper

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxCommandLine is how long a command line may get, as in cmd/go
// (cmd/internal/sys.ExecArgLengthLimit).
const maxCommandLine = 30 << 10

// expandResponseFiles replaces each argument "@file" by the arguments in the
// file, as compile and link do.
func expandResponseFiles(args []string) ([]string, error) {
	var out []string
	for i, arg := range args {
		file, ok := strings.CutPrefix(arg, "@")
		if !ok {
			if out != nil {
				out = append(out, arg)
			}
			continue
		}
		if out == nil {
			out = append(make([]string, 0, 2*len(args)), args[:i]...)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading response file: %w", err)
		}
		lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(string(text), "\r", "")), "\n")
		for i, line := range lines {
			lines[i] = decodeArg(line)
		}
		if lines, err = expandResponseFiles(lines); err != nil {
			return nil, err
		}
		out = append(out, lines...)
	}
	if out == nil {
		return args, nil
	}
	return out, nil
}

// shortenCommandLine puts arguments that are too many for a command line into a
// response file in dir.
func shortenCommandLine(args []string, dir string) ([]string, error) {
	length := 0
	for _, arg := range args {
		length += len(arg) + 1
	}
	if length <= maxCommandLine {
		return args, nil
	}
	var b strings.Builder
	for _, arg := range args {
		b.WriteString(encodeArg(arg))
		b.WriteByte('\n')
	}
	file := filepath.Join(dir, "args")
	if err := os.WriteFile(file, []byte(b.String()), 0o666); err != nil {
		return nil, fmt.Errorf("writing response file: %w", err)
	}
	return []string{"@" + file}, nil
}

// In a response file a backslash is written \\ and a newline \n.
var (
	argEncoder = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	argDecoder = strings.NewReplacer(`\\`, `\`, `\n`, "\n")
)

func encodeArg(arg string) string { return argEncoder.Replace(arg) }
func decodeArg(arg string) string { return argDecoder.Replace(arg) }
