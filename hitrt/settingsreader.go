// Looking settings up: which of their sources has a value, and what it means.

package hitrt

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A settingsReader looks settings up by key and collects the values that it does
// not understand.
//
// A file of the working directory that nobody named (settingsFile.found) counts in full
// only if the program lies there or below: then whoever wrote it could as well replace
// the program. Elsewhere it may say what the program is called, and no more: where hits,
// the api key and lines go, and whether anything runs at all, is not for the directory
// in which somebody happens to start a tool.
type settingsReader struct {
	lookup   func(string) (string, bool)
	values   []map[string]string // used if there is no variable; the first that has the key wins
	problems []string

	// ignored are the values of the file that do not count. refused are the keys that
	// would have had another value.
	ignored map[string]string
	refused []string

	// guarded reports whether the file may have only our own variables in its values:
	// the program's others must not go to a server that the file names.
	guarded bool
}

// Places in settingsReader.values.
const (
	fromOptions = iota
	fromFile
	fromBinary
)

// setValues sets what is used if there is no variable.
func (r *settingsReader) setValues(options map[string]string, file settingsFile, baked map[string]string) {
	values := file.values
	if file.found && !isBelowWorkDir() {
		r.guarded, r.ignored, values = true, file.values, map[string]string{}
		for _, key := range []string{"appName", "appVersion", "environment", "hostname"} {
			if v, ok := r.ignored[key]; ok {
				values[key] = v
				delete(r.ignored, key)
			}
		}
	}
	if file.found && values["serverUrl"] != "" {
		r.guarded = true
	}
	r.values = []map[string]string{fromOptions: options, fromFile: values, fromBinary: baked}
}

func (r *settingsReader) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// text returns the value of the first of the keys (a key and its aliases) that is
// set. Variables come first. A blank value means the default.
func (r *settingsReader) text(keys ...string) string {
	v, _ := r.find(keys...)
	return v
}

// find returns what text does, and the key that the value was found under.
func (r *settingsReader) find(keys ...string) (value, key string) {
	for _, key := range keys {
		if v, ok := r.lookup(variable(key)); ok {
			return r.expanded(key, v, false), key
		}
	}
	for from, values := range r.values {
		for _, key := range keys {
			if v, ok := values[key]; ok {
				if from == fromBinary {
					r.refuse(keys, v)
				}
				return r.expanded(key, v, from == fromFile && r.guarded), key
			}
		}
	}
	r.refuse(keys, "")
	return "", ""
}

// refuse notes which of the keys an ignored file would have given another value.
func (r *settingsReader) refuse(keys []string, value string) {
	for _, key := range keys {
		if v, ok := r.ignored[key]; ok && v != value && !slices.Contains(r.refused, key) {
			r.refused = append(r.refused, key)
		}
	}
}

// passedOver says which files and values do not count.
func (r *settingsReader) passedOver(file settingsFile) (lines []string) {
	for _, err := range file.passedOver {
		lines = append(lines, fmt.Sprintf("passed over: %v; SCAVENGER_CONFIG names a file that counts in any case", err))
	}
	if len(r.refused) > 0 {
		lines = append(lines, fmt.Sprintf("scavenger.conf in the working directory has no say in %s, as the program does not lie there: name the file in SCAVENGER_CONFIG",
			strings.Join(r.refused, ", ")))
	}
	return lines
}

// expanded returns a value with $NAME replaced by the variable of that name or by
// the value of another key; if guarded, by variables whose name begins with SCAVENGER_
// only.
func (r *settingsReader) expanded(key, v string, guarded bool) string {
	v = expand(v, func(name string) (string, bool) {
		if v, ok := r.lookup(name); ok && (!guarded || strings.HasPrefix(name, "SCAVENGER_")) {
			return v, true
		}
		for _, values := range r.values {
			if v, ok := values[name]; ok {
				return v, true
			}
		}
		return "", false
	}, func(name string) {
		if _, ok := r.lookup(name); ok {
			r.problem("%s has $%s in it: a scavenger.conf of the working directory may use variables SCAVENGER_… only; name the file in SCAVENGER_CONFIG", key, clamp(name, 60))
			return
		}
		r.problem("%s has $%s in it, which is neither a variable nor a key", key, clamp(name, 60))
	})
	return strings.TrimSpace(v)
}

// replacedElsewhere are the characters with which a path begins that a shell, systemd or
// Windows would replace, as in config.
const replacedElsewhere = "~%"

// path returns a path, or "" for one that begins with what somebody should have replaced:
// ~, the % of systemd or Windows, a $NAME without a value. A directory of that name would
// appear wherever the program is started.
func (r *settingsReader) path(key string) string {
	v := r.text(key)
	switch {
	case strings.HasPrefix(v, "$"): // expanded has said why
		r.problem("%s is %s: no files are written there", key, shown(v))
	case strings.ContainsAny(v[:min(1, len(v))], replacedElsewhere):
		r.problem("%s is %s, and nothing replaces the %q: no files are written there; write $HOME or another variable, or ./%s for that name",
			key, shown(v), v[:1], clamp(v, 60))
	default:
		return v
	}
	return ""
}

// falseWords are what is taken for false without a word, as in config.
const falseWords = "false no off 0"

// boolean returns true for "true", in upper or lower case, as the Java agent does, and
// false for all else: enabled=no means no. enabled=yes does not mean yes, which is said.
func (r *settingsReader) boolean(key string, def bool) bool {
	v := r.text(key)
	switch {
	case v == "":
		return def
	case strings.EqualFold(v, "true"):
		return true
	case !isIn(falseWords, strings.ToLower(v)):
		r.problem("%s is %s, which is neither true nor false: taken as false", key, shown(v))
	}
	return false
}

func (r *settingsReader) integer(key string, def, lowest int64, unit time.Duration) time.Duration {
	const highest = int64(30 * 24 * time.Hour / time.Second) // no product below overflows
	// The Python agent counts seconds where the Java agent counts milliseconds.
	inSeconds := strings.TrimSuffix(key, "Millis") + "Seconds"
	v, found := r.find(key, inSeconds)
	if v == "" {
		return time.Duration(def) * unit
	}
	if found == inSeconds && unit == time.Millisecond {
		v += "000"
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < lowest || n > highest*int64(time.Second/unit) {
		r.problem("%s is %s, want a number from %d: using %d", key, shown(v), lowest, def)
		n = def
	}
	return time.Duration(n) * unit
}

// duration accepts what time.ParseDuration does and a plain number of seconds.
func (r *settingsReader) duration(key string, def time.Duration) time.Duration {
	const highest = 5 * time.Minute
	v := r.text(key)
	if v == "" {
		return def
	}
	d, err := time.ParseDuration(v)
	if n, numErr := strconv.ParseUint(v, 10, 16); numErr == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil || d < 0 || d > highest {
		r.problem("%s is %s, want a duration such as 500ms or 2s, at most %v: using %v", key, shown(v), highest, def)
		d = def
	}
	return d
}

// size accepts a number of bytes, KB or MB, as the Java agent's
// max-message-size does.
func (r *settingsReader) size(key string, def int) int {
	v := r.text(key)
	if v == "" {
		return def
	}
	digits := strings.TrimRight(strings.ToUpper(v), " BKM")
	unit := map[string]int{"": 1, "B": 1, "K": 1 << 10, "KB": 1 << 10, "M": 1 << 20, "MB": 1 << 20}
	factor, ok := unit[strings.TrimSpace(strings.ToUpper(v)[len(digits):])]
	n, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil || int(n) > maxAnySize/factor || int(n)*factor < minMessage {
		r.problem("%s is %s, want a size such as 10MB, from %d to %d bytes: using %d", key, shown(v), minMessage, maxAnySize, def)
		return def
	}
	return int(n) * factor
}

// choice returns one of the options; the first is the default.
func (r *settingsReader) choice(key string, options ...string) string {
	v := r.text(key)
	if v == "" {
		return options[0]
	}
	for _, o := range options {
		if strings.EqualFold(v, o) {
			return o
		}
	}
	r.problem("%s is %s, want one of %s: using %s", key, shown(v), strings.Join(options, ", "), options[0])
	return options[0]
}

// variable returns the environment variable of a key: SCAVENGER_SERVER_URL for
// serverUrl.
func variable(key string) string {
	name := append(make([]byte, 0, len(prefix)+2*len(key)), prefix...)
	for i := range len(key) {
		if c := key[i]; c >= 'A' && c <= 'Z' {
			name = append(name, '_', c)
		} else {
			name = append(name, c&^0x20)
		}
	}
	return string(name)
}
