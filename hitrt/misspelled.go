// Names that are no settings. A variable or key with one has no effect, and the program
// would be silent about what somebody wants it to do.

package hitrt

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
)

// The names of all settings, as config/keys.go has them: those that act where a program
// runs, and the others.
const (
	runKeys = "enabled apiKey licenseKey serverUrl grpcTls dataDir dataMode mapping appName appVersion environment hostname " +
		"exitTimeout saveUnsent flushOnSignal schedulerInitialDelayMillis schedulerInitialDelaySeconds schedulerIntervalMillis " +
		"schedulerIntervalSeconds forceIntervalSeconds maxMessageSize logFile logLevel debugMode"
	otherKeys = "packages excludePackages additionalPackages excludeGenerated methodVisibility excludeConstructors excludeInit " +
		"excludeGetterSetter annotations decorators excludeByRegex additionalByRegex closures trackTests evidence evidenceMaxAge maxMethodsCount network " +
		"httpConnectTimeoutSeconds httpReadTimeoutSeconds httpWriteTimeoutSeconds codeBase codebase asyncCodeBaseScanMode " +
		"asyncCodebaseScanMode legacyCompatibilityMode tags callStackTraceMode"
)

// sources are the variables that hold settings, or name a file of them, ofBuilds the others
// that scavenger-wrap has.
const (
	sources  = "options config"
	ofBuilds = "wrapLog wrapLogLevel wrapStarted plainCache"
)

// guesses has, behind the name of a setting, what people type who guess it, in lower case and
// without separators, as config/guesses.go has it.
const guesses = "enabled disable disabled;" +
	"apiKey key token apitoken license;" +
	"serverUrl url server host collector collectorurl collectorhost collectoraddr collectoraddress endpoint addr address serveraddr serveraddress serverhost;" +
	"grpcTls tls;" +
	"dataDir dir directory data datapath datafolder datadirectory hitsdir outputdir;" +
	"appName app name application applicationname servicename;" +
	"environment env;" +
	"exitTimeout timeout;" +
	"logFile log logpath;" +
	"debugMode debug;" +
	"config conf configfile configpath conffile settings settingsfile"

// prefix begins the names of all variables of ours. Those of others may begin with it too:
// Kubernetes makes some of the name of a service.
const prefix = "SCAVENGER_"

// reports reports whether a key, or a source, is one of those that make a program report.
func reports(key string) bool {
	return isIn(sources, key) || key == "dataDir" || key == "serverUrl" || key == "apiKey" || key == "licenseKey"
}

// checkVariables notes the variables that are most likely meant to be another one, which
// acts where a program runs.
func (s *settings) checkVariables(environ []string) {
	const others = otherKeys + " " + ofBuilds
	const all = runKeys + " " + sources + " " + others
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		rest, exact, likeOurs := cutPrefix(name)
		if !likeOurs || isService(name, value) {
			continue
		}
		if known := camelCase(strings.ToLower(rest)); exact && isIn(all, known) {
			continue
		}
		key := nearest(rest, all)
		if key == "" || isIn(others, key) {
			continue
		}
		s.misspelled(key, fmt.Sprintf("%s is no setting; did you mean %s?", clamp(name, 60), variable(key)))
	}
}

// cutPrefix returns what follows the prefix in the name of a variable, whether both are
// written as they must be, and whether there is a prefix at all, in whichever case, with
// whichever separator.
func cutPrefix(name string) (rest string, exact, ok bool) {
	const n = len(prefix)
	if len(name) <= n || !strings.EqualFold(name[:n-1], prefix[:n-1]) || !isSeparator(rune(name[n-1])) {
		return "", false, false
	}
	written := name
	if runtime.GOOS == "windows" { // where upper and lower case are the same
		written = strings.ToUpper(name)
	}
	return name[n:], strings.HasPrefix(written, prefix) && strings.ToUpper(written) == written, true
}

// isService reports whether Kubernetes made a variable of the port of a service, which may
// be called scavenger-server, or docker of the name of a linked container.
func isService(name, value string) bool {
	return strings.HasSuffix(name, "_PORT") && strings.Contains(value, "://") || strings.HasSuffix(name, "_NAME") && strings.HasPrefix(value, "/")
}

// checkKeys notes the keys of a source of settings that are no settings. Keys may be
// anything, a secret too, so only those that are near to a setting are shown.
func (s *settings) checkKeys(source string, values map[string]string) {
	unknown := 0
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if isIn(runKeys, name) || isIn(otherKeys, name) || isReferred(values, name) {
			continue
		}
		switch key := nearest(name, runKeys+" "+otherKeys); key {
		case "":
			unknown++
		default:
			s.misspelled(key, fmt.Sprintf("%s: %s is no setting; did you mean %s?", source, clamp(name, 60), key))
		}
	}
	if unknown > 0 {
		s.problems = append(s.problems, fmt.Sprintf("%s: keys that are no settings, and not near to one: %d", source, unknown))
	}
}

// checkEffect notes settings of this run that have none, as others are missing or they
// act when a program is built. own reads what is set for this run.
func (s *settings) checkEffect(own *settingsReader) {
	if s.lacksKey() && s.active() {
		s.problems = append(s.problems, noKey)
	}
	lacking := func(what string, keys ...string) {
		keys = slices.DeleteFunc(keys, func(key string) bool { return own.text(key) == "" })
		if len(keys) > 0 {
			s.remarks = append(s.remarks, fmt.Sprintf("without effect, as there is no %s: %s", what, strings.Join(keys, ", ")))
		}
	}
	if s.dataDir == "" {
		lacking("dataDir", "dataMode", "mapping")
	}
	if !s.collects() {
		lacking("collector", "grpcTls", "forceIntervalSeconds", "maxMessageSize", "exitTimeout", "saveUnsent")
	}
	for _, key := range slices.Sorted(maps.Keys(own.values[fromOptions])) {
		if isIn(otherKeys, key) {
			s.remarks = append(s.remarks, "without effect where a program runs: SCAVENGER_OPTIONS: "+key)
		}
	}
}

// checkTOML notes that SCAVENGER_CONFIG names the settings file of a build which would
// make the program report, and was not read when it was built.
func (s *settings) checkTOML(values, baked map[string]string) {
	for _, key := range []string{"dataDir", "serverUrl"} {
		if values[key] != "" && baked[key] == "" {
			problem := "SCAVENGER_CONFIG names a .toml file, which counts when a program is built: to set " + key + " where it runs, name a scavenger.conf, or set " + variable(key)
			s.problems = append(s.problems, problem)
			s.asked = append(s.asked, problem)
			return
		}
	}
}

// isReferred reports whether one of the values has $name in it, for which the key is made.
func isReferred(values map[string]string, name string) bool {
	for _, v := range values {
		if strings.Contains(v, "$"+name) || strings.Contains(v, "${"+name+"}") {
			return true
		}
	}
	return false
}

// misspelled notes a name that may be meant to be key.
func (s *settings) misspelled(key, problem string) {
	s.problems = append(s.problems, problem)
	if reports(key) {
		s.asked = append(s.asked, problem)
	}
}

// isIn reports whether a key is in a list.
func isIn(keys, key string) bool {
	for name := range strings.FieldsSeq(keys) {
		if name == key {
			return true
		}
	}
	return false
}

// nearest returns the one of keys that name most likely means, or "". The name of
// scavenger-wrap may stand in front: SCAVENGER_WRAP_DATA_DIR.
func nearest(name, keys string) string {
	word := letters(clamp(name, 60))
	for _, w := range []string{word, strings.TrimPrefix(word, "wrap")} {
		guess := guessed(w)
		for key := range strings.FieldsSeq(keys) {
			if key == guess || strings.ToLower(key) == w {
				return key
			}
		}
	}
	best, least := "", 1+max(1, len(word)/3)
	for key := range strings.FieldsSeq(keys) {
		if d := distance(word, strings.ToLower(key)); d < least {
			best, least = key, d
		}
	}
	return best
}

// guessed returns the name of the setting that a word is a guess for, or "".
func guessed(word string) string {
	for g := range strings.SplitSeq(guesses, ";") {
		if name, words, _ := strings.Cut(g, " "); isIn(words, word) {
			return name
		}
	}
	return ""
}

// letters returns a name in lower case and without separators.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if isSeparator(r) {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

func isSeparator(r rune) bool { return r == '_' || r == '-' || r == '.' }

// distance returns how many bytes must be inserted, deleted or replaced to turn a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			above := row[j+1]
			row[j+1] = min(row[j], above) + 1
			if a[i] == b[j] {
				row[j+1] = min(row[j+1], diagonal)
			} else {
				row[j+1] = min(row[j+1], diagonal+1)
			}
			diagonal = above
		}
	}
	return row[len(b)]
}
