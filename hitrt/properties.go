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

// settingsFile returns the values of the settings file by key, and its name; no values
// if there is none. SCAVENGER_CONFIG names it; otherwise it is the first readable one
// of those that the Java agent looks for. A scavenger.toml is ignored: it was built in.
// If the caller of the program is not trusted, only /etc is searched.
//
// A file that nobody named counts as missing if it cannot be reached, whatever the
// reason: HOME or conf may be a file, and a directory may belong to another user.
// passedOver says which files exist and cannot be used.
func settingsFile(lookup func(string) (string, bool), trusted bool) (values map[string]string, file string, passedOver []error, err error) {
	if named, _ := lookup("SCAVENGER_CONFIG"); strings.TrimSpace(named) != "" {
		file = strings.TrimSpace(named)
		if filepath.Ext(file) == ".toml" {
			return nil, "", nil, nil
		}
		values, err = readProperties(file)
		if err != nil {
			err = fmt.Errorf("SCAVENGER_CONFIG: %w", err)
		}
		return values, file, nil, err
	}
	var candidates []string
	if trusted {
		candidates = []string{"scavenger.conf", filepath.Join("conf", "scavenger.conf")}
	}
	if home, _ := lookup("HOME"); home != "" {
		candidates = append(candidates, filepath.Join(home, ".config", "scavenger.conf"))
	}
	for _, file := range append(candidates, "/etc/scavenger/scavenger.conf", "/etc/scavenger.conf") {
		if _, err := os.Stat(file); err != nil {
			continue
		}
		values, err := readProperties(file)
		var syntax *syntaxError
		if err == nil || errors.As(err, &syntax) {
			return values, file, passedOver, err
		}
		passedOver = append(passedOver, err)
	}
	return nil, "", passedOver, nil
}

// A syntaxError says that a settings file was read and does not parse.
type syntaxError struct {
	file string
	err  error
}

func (e *syntaxError) Error() string { return e.file + ": " + e.err.Error() }

// readProperties reads a properties file. It opens regular files only: a pipe would
// keep the program from starting.
func readProperties(file string) (map[string]string, error) {
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
	for _, option := range strings.Split(text, ";") {
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
