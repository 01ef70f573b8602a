// Response files: a tool's arguments in a file. They are used if the arguments are longer
// than a command line can be (on Windows that is 32 kB, a package of 500 files). The
// command line then is "compile @file".
//
// The go command writes a response file only for a program that is called compile, link,
// cgo, asm or cover, because it does not know that others understand it. With -toolexec,
// that program is scavenger-wrap. If it is called compile, it gets response files, in
// which the name of the tool comes first. The front-end makes a link of that name for the
// go command to start.
//
// Since Go 1.27, the arguments in a response file are written as for gcc: with quotes if
// they contain white space and the like (golang.org/issue/77177). Before, each argument
// is a line. So the form of a file depends on the release of the tool that reads it, and
// the compiler is asked for its release.

package toolchain

import (
	"fmt"
	goversion "go/version"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// MaxCommandLine is how long a command line may get, as in cmd/go
// (cmd/internal/sys.ExecArgLengthLimit).
const MaxCommandLine = 30 << 10

// responseFileTools are the tools that read response files in every release.
var responseFileTools = []string{"compile", "link", "cgo", "asm", "cover"}

// ReadsQuoted reports whether the tools of the distribution that a tool is part of
// read response files with quotes.
func ReadsQuoted(tool string) (bool, error) {
	out, err := exec.Command(SiblingTool(tool, "compile"), "-V=full").Output()
	if err != nil {
		return false, fmt.Errorf("reading response file: compile -V=full: %w", err)
	}
	lang := goversion.Lang(ReleaseOf(strings.Fields(string(out))))
	return lang == "" || goversion.Compare(lang, "go1.27") >= 0, nil
}

// Expand returns a tool's arguments with response files replaced by what they
// hold.
func Expand(tool string, args []string) ([]string, error) {
	if !slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "@") }) {
		return args, nil
	}
	quoted, err := ReadsQuoted(tool)
	if err != nil {
		return nil, err
	}
	return ExpandAs(args, quoted)
}

// ExpandAs replaces each argument "@file" by the arguments in the
// file, as compile and link do.
func ExpandAs(args []string, quoted bool) ([]string, error) {
	var out []string
	for _, arg := range args {
		file, ok := strings.CutPrefix(arg, "@")
		if !ok {
			out = append(out, arg)
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading response file: %w", err)
		}
		inner, err := ExpandAs(parseArgs(string(text), quoted), quoted)
		if err != nil {
			return nil, err
		}
		out = append(out, inner...)
	}
	return out, nil
}

// NeedsResponseFile reports whether a tool's arguments are too long for a command line,
// and the tool reads response files.
func NeedsResponseFile(tool string, args []string) bool {
	length := 0
	for _, arg := range args {
		length += len(arg) + 1
	}
	return length > MaxCommandLine && slices.Contains(responseFileTools, ToolName(tool))
}

// WriteResponseFile writes a tool's arguments to a file, and returns "@file", the
// argument that stands for them.
func WriteResponseFile(tool, file string, args []string) ([]string, error) {
	quoted, err := ReadsQuoted(tool)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, FormatArgs(args, quoted), 0o666); err != nil {
		return nil, fmt.Errorf("writing response file: %w", err)
	}
	return []string{"@" + file}, nil
}

// If each argument is a line, a backslash in it is written \\ and a newline \n.
var (
	lineEncoder = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	lineDecoder = strings.NewReplacer(`\\`, `\`, `\n`, "\n")
)

// parseArgs returns the arguments in the text of a response file.
func parseArgs(text string, quoted bool) []string {
	if quoted {
		return parseQuoted(text)
	}
	args := strings.Split(strings.TrimSpace(strings.ReplaceAll(text, "\r", "")), "\n")
	for i, line := range args {
		args[i] = lineDecoder.Replace(line)
	}
	return args
}

// parseQuoted is parseArgs for the form with quotes. In single quotes, a backslash stands
// for itself. In double quotes, it stands for itself unless one of the few characters
// follows that have a meaning there. Everywhere else it stands for the character that
// follows. A backslash and a line end behind it are dropped, except in single quotes.
func parseQuoted(text string) []string {
	var args []string
	var arg []byte
	begun, quote := false, byte(0)
	for i := 0; i < len(text); i++ {
		c, rest := text[i], text[i+1:]
		switch {
		case quote == 0 && strings.IndexByte(" \t\r\n", c) >= 0:
			if begun {
				args = append(args, string(arg))
			}
			arg, begun = arg[:0], false
			continue
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote != 0 && c == quote:
			quote = 0
		case c != '\\' || quote == '\'':
			arg = append(arg, c)
		case strings.HasPrefix(rest, "\n"):
			i++
			continue
		case strings.HasPrefix(rest, "\r\n"):
			i += 2
			continue
		case quote == 0 && rest != "", rest != "" && strings.IndexByte("\\\"$`", rest[0]) >= 0:
			arg = append(arg, rest[0])
			i++
		case quote != 0:
			arg = append(arg, c)
		default:
			continue
		}
		begun = true
	}
	if begun {
		args = append(args, string(arg))
	}
	return args
}

var quotedEncoder = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`")

// FormatArgs is the inverse of parseArgs.
func FormatArgs(args []string, quoted bool) []byte {
	var b []byte
	for _, arg := range args {
		switch {
		case !quoted:
			arg = lineEncoder.Replace(arg)
		case arg == "" || strings.ContainsAny(arg, " \t\r\n'\"\\$`"):
			arg = `"` + quotedEncoder.Replace(arg) + `"`
		}
		b = append(append(b, arg...), '\n')
	}
	return b
}
