// The settings file of the running program: scavenger.conf, Java properties in UTF-8,
// as the Java agent reads it. The parser is written by hand: what this package imports
// is compiled into the user's program.

package hitrt

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxSettingsFile is the largest settings file, far more than any settings need.
const maxSettingsFile = 1 << 20

// A settingsFile is the settings file of the running program.
type settingsFile struct {
	values map[string]string // by key; none if there is no file
	toml   map[string]string // if the file is one of a build: what looks like its values
	err    error             // why a file that should be there cannot be read

	// found reports whether it lies in the working directory and nobody named it.
	found bool
	// passedOver says which files are there and do not count, and why.
	passedOver []error
}

// findSettings reads the settings file. SCAVENGER_CONFIG names it; otherwise it is the
// first readable one of those that the Java agent looks for. A scavenger.toml is
// ignored: it was built in. If the caller of the program is not trusted, only /etc is
// searched.
//
// A file that nobody named counts as missing if it cannot be reached, whatever the
// reason: HOME or conf may be a file, and a directory may belong to another user. In the
// working directory it counts as [settingsReader] says: whoever can write there must
// not direct what the program does.
func findSettings(lookup func(string) (string, bool), trusted bool) (f settingsFile) {
	if named, _ := lookup("SCAVENGER_CONFIG"); strings.TrimSpace(named) != "" {
		file := strings.TrimSpace(named)
		if filepath.Ext(file) == ".toml" {
			f.toml, _ = readProperties(file, nil)
			return f
		}
		if f.values, f.err = readProperties(file, nil); f.err != nil {
			f.err = fmt.Errorf("SCAVENGER_CONFIG: %w", f.err)
		}
		return f
	}
	var candidates []string
	if trusted {
		candidates = []string{"scavenger.conf", filepath.Join("conf", "scavenger.conf")}
	}
	own := len(candidates)
	if home, _ := lookup("HOME"); home != "" {
		candidates = append(candidates, filepath.Join(home, ".config", "scavenger.conf"))
	}
	for i, file := range append(candidates, "/etc/scavenger/scavenger.conf", "/etc/scavenger.conf") {
		if _, err := os.Stat(file); err != nil {
			continue
		}
		var check func(os.FileInfo) error
		if i < own {
			check = ownedOnly(filepath.Dir(file))
		}
		values, err := readProperties(file, check)
		_, isRead := err.(*syntaxError) //nolint:errorlint // errors.As takes 20 KiB
		if err == nil || isRead {
			f.values, f.err, f.found = values, err, i < own
			return f
		}
		f.passedOver = append(f.passedOver, err)
	}
	return f
}

// ownedOnly returns a check that a file in dir, a path in the working directory, was
// written by this user or by root: the file, its directory, and the working directory
// belong to one of them, and nobody else may write there. OpenSSH asks the same of its
// files.
func ownedOnly(dir string) func(os.FileInfo) error {
	return func(file os.FileInfo) error {
		if err := checkOwner(file); err != nil {
			return err
		}
		for _, path := range []string{dir, "."} {
			info, err := os.Stat(path)
			if err == nil {
				err = checkOwner(info)
			}
			if err != nil {
				return fmt.Errorf("its directory: %w", err)
			}
		}
		return nil
	}
}

// isBelowWorkDir reports whether the program's executable lies in the working directory
// or below it. Whoever can write there can replace the program.
func isBelowWorkDir() bool {
	executable, err := os.Executable()
	if err != nil {
		return false
	}
	work, err := os.Stat(".")
	if err != nil {
		return false
	}
	for dir := filepath.Dir(executable); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && os.SameFile(info, work) {
			return true
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}

// A syntaxError says that a settings file was read and does not parse.
type syntaxError struct {
	file string
	err  error
}

func (e *syntaxError) Error() string { return e.file + ": " + e.err.Error() }

// readProperties reads a properties file, if check has no objection to it. It opens
// regular files only: a pipe would keep the program from starting.
func readProperties(file string, check func(os.FileInfo) error) (map[string]string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSettingsFile {
		return nil, fmt.Errorf("%s is no settings file", file)
	}
	f, err := openFile(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil { // of what was opened, which may be another file by now
		return nil, err
	}
	if check != nil {
		if err := check(info); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSettingsFile))
	if err != nil {
		return nil, err
	}
	values, err := parseProperties(string(text))
	if err != nil {
		return nil, &syntaxError{file, err}
	}
	return values, nil
}

// parseProperties returns the values of a properties file by key, in camel case. The
// last value of a key wins.
func parseProperties(text string) (map[string]string, error) {
	values := map[string]string{}
	text = strings.TrimPrefix(text, "\uFEFF")
	for text != "" {
		var line string
		line, text = logicalLine(text)
		if line == "" {
			continue
		}
		end := 0
		for end < len(line) && strings.IndexByte(" \t\f=:", line[end]) < 0 {
			if line[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end, len(line))
		key, err := unescape(line[:end])
		if err != nil {
			return nil, err
		}
		rest := strings.TrimLeft(line[end:], " \t\f")
		if rest != "" && (rest[0] == '=' || rest[0] == ':') {
			rest = strings.TrimLeft(rest[1:], " \t\f")
		}
		value, err := unescape(rest)
		if err != nil {
			return nil, err
		}
		values[camelCase(key)] = value
	}
	return values, nil
}

// logicalLine returns the first line of a text, joined with the lines that continue it
// after a backslash, and the rest of the text. It returns "" for a blank line or a
// comment.
func logicalLine(text string) (line, rest string) {
	for first := true; ; first = false {
		natural := text
		rest = ""
		if i := strings.IndexAny(text, "\r\n"); i >= 0 {
			natural, rest = text[:i], text[i+1:]
			if text[i] == '\r' {
				rest = strings.TrimPrefix(rest, "\n")
			}
		}
		natural = strings.TrimLeft(natural, " \t\f")
		if first && (natural == "" || natural[0] == '#' || natural[0] == '!') {
			return "", rest
		}
		backslashes := len(natural) - len(strings.TrimRight(natural, `\`))
		if backslashes%2 == 0 {
			return line + natural, rest
		}
		line += natural[:len(natural)-1]
		if rest == "" {
			return line, ""
		}
		text = rest
	}
}

// unescape replaces the escape sequences of properties.
func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		if i++; i == len(s) {
			break
		}
		switch c := s[i]; c {
		case 'u':
			if len(s) < i+5 {
				return "", errors.New("\\u without four hexadecimal digits")
			}
			n, err := strconv.ParseUint(s[i+1:i+5], 16, 16)
			if err != nil {
				return "", errors.New("\\u without four hexadecimal digits")
			}
			b.WriteRune(rune(n))
			i += 4
		case 't', 'n', 'r', 'f':
			b.WriteByte("\t\n\r\f"[strings.IndexByte("tnrf", c)])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

// parseOptions returns the values of "key=value;key=value".
func parseOptions(text string) map[string]string {
	values := map[string]string{}
	for option := range strings.SplitSeq(text, ";") {
		key, value, _ := strings.Cut(option, "=")
		if key = strings.TrimSpace(key); key != "" {
			values[camelCase(key)] = strings.TrimSpace(value)
		}
	}
	return values
}

// camelCase turns server_url, the Python agent's form, into serverUrl.
func camelCase(key string) string {
	head, rest, ok := strings.Cut(key, "_")
	for ok {
		var word string
		word, rest, ok = strings.Cut(rest, "_")
		if word != "" {
			head += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return head
}

// expand replaces $NAME and ${NAME} by the value of NAME. It leaves names without a
// value as they are, and passes them to unknown.
func expand(text string, value func(name string) (string, bool), unknown func(name string)) string {
	head, rest, ok := strings.Cut(text, "$")
	for ok {
		name, tail, braces := rest, "", strings.HasPrefix(rest, "{")
		if braces {
			name, tail, braces = strings.Cut(rest[1:], "}")
		}
		if n := len(name) - len(strings.TrimLeft(name, nameChars)); !braces && !strings.HasPrefix(rest, "{") {
			name, tail = name[:n], name[n:]
		} else if !braces || n < len(name) {
			name = ""
		}
		v, known := "", false
		if name != "" {
			if v, known = value(name); !known {
				unknown(name)
			}
		}
		if known {
			head, rest = head+v, tail
		} else {
			head += "$"
		}
		var text string
		text, rest, ok = strings.Cut(rest, "$")
		head += text
	}
	return head
}

const nameChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
