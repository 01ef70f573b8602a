// Checking the values of settings.

package config

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// newSetting returns the setting of a key to a value that is not blank, or an error if
// the key cannot have that value.
func newSetting(name spelling, value any) (Setting, error) {
	k := name.key
	s := Setting{Key: k}
	var err error
	switch k.Kind {
	case Packages, Markers, Regexps:
		if s.List, err = listOf(k, value); err != nil {
			return s, err
		}
		for i, e := range s.List {
			if s.List[i], err = checkEntry(k, e); err != nil {
				return s, &entryError{e, err}
			}
		}
		return s, nil
	}
	switch v := value.(type) {
	case string:
		s.Value = strings.TrimSpace(v)
	case bool:
		s.Value = strconv.FormatBool(v)
	case int64:
		s.Value = strconv.FormatInt(v, 10)
	}
	if _, isString := value.(string); s.Value == "" || slices.Contains([]Kind{String, Path, URL, Choice}, k.Kind) && !isString {
		if k.Secret {
			return s, fmt.Errorf("want %s", wanted(k))
		}
		return s, fmt.Errorf("want %s, have %v", wanted(k), value)
	}
	if strings.Contains(s.Value, "$") && !k.Build && k.Kind != Path {
		return s, nil // the running program expands and checks it
	}
	given := s.Value
	if name.seconds {
		s.Value += "000"
	}
	if err := checkScalar(k, s.Value); err != nil {
		if name.seconds { // not in the unit of k
			err = fmt.Errorf("want a number of seconds, have %q", given)
		}
		return s, err
	}
	switch k.Kind {
	case Choice:
		s.Value = strings.ToLower(s.Value)
	case Bool:
		s.Value = strconv.FormatBool(strings.EqualFold(s.Value, "true"))
	}
	if k.Refused != "" && !strings.EqualFold(s.Value, k.Default) {
		return s, errors.New(k.Refused)
	}
	return s, nil
}

// booleans are the values that a running program takes for true, which is the first one, or
// false without a word.
var booleans = []string{"true", "false", "no", "off", "0"}

// wanted returns a description of the values that a key can have.
func wanted(k *Key) string {
	switch k.Kind {
	case String:
		return "a string"
	case Path:
		return "a path"
	case URL:
		return "a string such as \"http://host:8080\""
	case Bool:
		return "true or false"
	case Int:
		return fmt.Sprintf("a number from %d", k.Min)
	case Duration:
		return "a duration such as 500ms or 2s"
	case Age:
		return "a number of hours, days or weeks such as 12h, 30d or 2w"
	case Size:
		return "a size such as 5MB, from 64KB to 1024MB"
	case Choice:
		return "one of " + strings.Join(k.Choices, ", ")
	}
	return "a list of strings"
}

// checkScalar returns an error if a key cannot have a value. It checks what hitrt checks;
// hitrt would only use the default.
func checkScalar(k *Key, v string) error {
	ok := true
	switch k.Kind {
	case Path:
		return CheckPath(v)
	case Bool:
		ok = slices.Contains(booleans, strings.ToLower(v))
	case Int:
		n, err := strconv.ParseInt(v, 10, 64)
		ok = err == nil && n >= k.Min && n <= 1<<31
	case Duration:
		d, err := time.ParseDuration(v)
		if n, numErr := strconv.ParseUint(v, 10, 16); numErr == nil {
			d, err = time.Duration(n)*time.Second, nil
		}
		ok = err == nil && d >= 0 && d <= 5*time.Minute
	case Age:
		_, ok = parseAge(v)
	case Size:
		ok = isSize(v)
	case Choice:
		ok = slices.ContainsFunc(k.Choices, func(c string) bool { return strings.EqualFold(c, v) })
	case URL:
		full := v
		if !strings.Contains(full, "://") {
			full = "http://" + full
		}
		u, err := url.Parse(full)
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
			// The message does not show the value, which may contain a password.
			return errors.New("want a URL of the form http://host:port or https://host")
		}
	}
	if !ok {
		return fmt.Errorf("want %s, have %q", wanted(k), v)
	}
	return nil
}

// replacedElsewhere are the characters with which a path begins that a shell, systemd or
// Windows would replace.
const replacedElsewhere = "~%"

// CheckPath returns an error for a path that begins as a shell, systemd or Windows write
// what they replace: ~/x, %h/x, %TEMP%. Here nothing replaces it, and a directory of that
// name would appear wherever the program is started. hitrt refuses such a path likewise.
func CheckPath(v string) error {
	if !strings.ContainsAny(v[:min(1, len(v))], replacedElsewhere) {
		return nil
	}
	return fmt.Errorf("want a path, have %q, and nothing replaces the %q: write $HOME or another variable, or ./%s for that name", v, v[:1], v)
}

// parseAge returns a time in hours, days or weeks, of a hundred years at most.
func parseAge(v string) (age time.Duration, ok bool) {
	const day = 24 * time.Hour
	units := map[string]time.Duration{"h": time.Hour, "d": day, "w": 7 * day}
	unit := units[strings.ToLower(v[max(0, len(v)-1):])]
	n, err := strconv.ParseUint(v[:max(0, len(v)-1)], 10, 32)
	if err != nil || unit == 0 || n == 0 || time.Duration(n) > 36525*day/unit {
		return 0, false
	}
	return time.Duration(n) * unit, true
}

// isSize reports whether v is a number of bytes, KB or MB between 64 KB and 1024 MB.
func isSize(v string) bool {
	upper := strings.ToUpper(v)
	digits := strings.TrimRight(upper, " BKM")
	factor, ok := map[string]int{"": 1, "B": 1, "K": 1 << 10, "KB": 1 << 10, "M": 1 << 20, "MB": 1 << 20}[strings.TrimSpace(upper[len(digits):])]
	n, err := strconv.ParseUint(digits, 10, 32)
	return ok && err == nil && n <= uint64(1<<30/factor) && n*uint64(factor) >= 64<<10
}

// An entryError is an error in one entry of a list.
type entryError struct {
	entry string // as it is written
	err   error
}

func (e *entryError) Error() string { return e.err.Error() }
func (e *entryError) Unwrap() error { return e.err }

// listOf returns the entries of a value that is a list.
func listOf(k *Key, value any) ([]string, error) {
	switch v := value.(type) {
	case string:
		return splitList(k.Kind, v), nil
	case []any:
		list := []string{}
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, fmt.Errorf("want a list of strings, have %v in it", e)
			}
			list = append(list, s)
		}
		return list, nil
	}
	return nil, fmt.Errorf("want a list of strings, have %v", value)
}

// splitList returns the entries of a list that is written as one string.
func splitList(kind Kind, s string) []string {
	separators := map[Kind]string{Packages: ",;:", Markers: ",;", Regexps: ","}[kind]
	list := []string{}
	for _, e := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
		if e = strings.TrimSpace(e); e != "" {
			list = append(list, e)
		}
	}
	return list
}

// checkEntry returns an entry of a list in the form in which it is used, or an error if
// the key cannot have that entry.
func checkEntry(k *Key, e string) (string, error) {
	switch k.Kind {
	case Packages:
		if !strings.HasSuffix(e, "...") {
			e = strings.TrimRight(e, ".") // as the Java agent does
		}
		e = fromPage(e)
		return e, checkPattern(e)
	case Markers:
		e = strings.TrimPrefix(strings.TrimSpace(e), "//")
		if strings.TrimLeft(e, "@") == "" || strings.ContainsAny(e, " \t\r\n") {
			return e, fmt.Errorf("marker %q: want one word that a line of a doc comment begins with, such as @Router or //shop:endpoint", e)
		}
		return e, nil
	}
	_, err := compileName(e)
	return e, err
}

// compileName compiles an expression so that it matches only whole names.
func compileName(text string) (*regexp.Regexp, error) {
	// Compile it as written first, so that an error shows what was written.
	if _, err := regexp.Compile(text); err != nil {
		return nil, err
	}
	return regexp.Compile(`^(?:` + text + `)$`)
}
