// Settings of the running program. What was baked in when it was linked is
// overridden by scavenger.conf, that by SCAVENGER_OPTIONS, and that by a variable
// for each key. Keys, defaults and the meaning of a blank value are those of the
// Java agent.

package hitrt

import (
	"cmp"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settings are the values that one process runs with.
type settings struct {
	enabled   bool
	apiKey    string
	serverURL string      // without trailing slashes; empty if there is no collector
	dataDir   string      // absolute; empty if no local files are wanted
	dataMode  os.FileMode // of files there
	mapping   string      // where calls outlive the process: "memory", "disk" or "none"
	grpcTLS   string      // "auto", "on" or "off"

	appName, appVersion, environment, hostname string // clamped by applyDefaults

	initialDelay  time.Duration // from the start to the first tick
	interval      time.Duration // from tick to tick
	forceInterval time.Duration // if not 0, replaces every interval of the collector
	exitTimeout   time.Duration // the most that Exit may spend on the collector
	flushOnSignal bool          // whether signals that end the program are taken
	flushAsked    bool          // whether somebody asked for that
	savePlaces    []savePlace   // for what could not be sent at the end; none if it is not saved
	logFile       string        // absolute; empty for standard error
	logLevel      level

	maxMessage int // the largest message, in bytes

	// explicit reports whether serverUrl comes from the environment. One in the binary
	// without a key is normal on a developer's machine.
	explicit bool
	problems []string // values that were not understood; logged once
	fileErr  error    // why a settings file that should be there cannot be read

	// asked are the problems that keep a program silent although it is most likely asked to
	// report. remarks are about settings that have no effect. They are logged once.
	asked, remarks []string

	// mistaken are the problems with the value of enabled, which counts as false because of
	// them.
	mistaken []string

	// passedOver says which files and values do not count, as somebody else may have
	// written them. It is logged once.
	passedOver []string
}

const (
	// maxMessage is the largest message, below the collector's limit of 10 MiB. If a
	// collector has a lower limit, messages shrink down to minMessage.
	maxMessage = 10_000_000
	minMessage = 64 << 10

	// maxAnySize is the largest maxMessageSize that settings may ask for. The whole
	// message is in memory while it is sent.
	maxAnySize = 1 << 30
)

// active reports whether hits go anywhere.
func (s *settings) active() bool {
	return s.enabled && (s.collects() || s.dataDir != "")
}

// collects reports whether hits go to a collector.
func (s *settings) collects() bool {
	return hasNetwork && s.apiKey != "" && s.serverURL != ""
}

// variables returns the lookup for [loadSettings]. It returns nil in a program that
// has more rights than its caller: variables and working directory are controlled by
// the caller, who could otherwise choose which files it writes.
func variables() func(string) (string, bool) {
	if isElevated() {
		return nil
	}
	return os.LookupEnv
}

// loadSettings returns the settings of program p. lookup finds environment
// variables, as [os.LookupEnv] does. If it is nil, only the binary and /etc are
// read, and relative paths are ignored.
func loadSettings(p *Program, lookup func(string) (string, bool)) *settings {
	trusted, absolute := lookup != nil, absolute
	if !trusted {
		lookup = func(string) (string, bool) { return "", false }
		absolute = onlyAbsolute
	}
	r := settingsReader{lookup: lookup}
	baked, err := p.settings()
	if err != nil {
		r.problem("reading the settings in the binary: %v", err)
	}
	options, _ := lookup("SCAVENGER_OPTIONS")
	file := findSettings(lookup, trusted)
	if file.err != nil {
		r.problem("reading settings: %v", file.err)
	}
	given := parseOptions(options)
	r.setValues(given, file, baked)
	before := len(r.problems)
	enabled := r.boolean("enabled", true)
	s := &settings{
		enabled:     enabled,
		mistaken:    slices.Clone(r.problems[before:]),
		apiKey:      r.apiKey(),
		appName:     r.text("appName"),
		appVersion:  r.text("appVersion"),
		environment: r.text("environment"),
		hostname:    r.text("hostname"),
		grpcTLS:     r.choice("grpcTls", "auto", "on", "off"),
		mapping:     r.choice("mapping", "memory", "disk", "none"),
		dataMode:    octal(r.choice("dataMode", "0600", "0640", "0644")),

		initialDelay:  r.integer("schedulerInitialDelayMillis", 10_000, 0, time.Millisecond),
		interval:      r.integer("schedulerIntervalMillis", 10_000, 10, time.Millisecond),
		forceInterval: r.integer("forceIntervalSeconds", 0, 0, time.Second),
		exitTimeout:   r.duration("exitTimeout", 2*time.Second),
		flushOnSignal: r.boolean("flushOnSignal", p.Signals),
	}
	s.flushAsked = s.flushOnSignal && r.text("flushOnSignal") != ""
	s.maxMessage = r.size("maxMessageSize", maxMessage)
	if r.boolean("saveUnsent", true) {
		s.savePlaces = r.savePlaces()
	}
	s.serverURL = r.serverURL()
	own := settingsReader{lookup: lookup, values: r.values[:fromBinary]}
	s.explicit = own.text("serverUrl") != ""
	s.readPaths(&r, absolute)
	s.logLevel = r.logLevel()
	if s.appName == "" {
		s.appName = defaultAppName(p.Main)
	}
	s.appVersion = cmp.Or(s.appVersion, p.Version)
	s.problems, s.passedOver, s.fileErr = r.problems, r.passedOver(file), file.err
	s.checkKeys("SCAVENGER_OPTIONS", given)
	s.checkKeys("scavenger.conf", r.values[fromFile])
	s.checkTOML(file.toml, baked)
	s.checkEffect(&own)
	return s
}

// apiKey returns the key of the workspace, or "" if it has an unknown $NAME in it: no key
// contains a $.
func (r *settingsReader) apiKey() string {
	key := r.text("apiKey", "licenseKey")
	if strings.Contains(key, "$") {
		return ""
	}
	return key
}

func (r *settingsReader) logLevel() level {
	l := levelOf(r.choice("logLevel", "warn", "debug", "info", "error"))
	if r.boolean("debugMode", false) {
		return levelDebug
	}
	return l
}

// readPaths reads where files are written. A program may be silent as its dataDir is of no
// use: asked says so.
func (s *settings) readPaths(r *settingsReader, absolute func(string) string) {
	before := len(r.problems)
	s.dataDir = absolute(r.path("dataDir"))
	if s.dataDir == "" {
		s.asked = slices.Clone(r.problems[before:])
	}
	s.logFile = absolute(r.path("logFile"))
}

// absolute returns the absolute form of a path, which stays right when the program
// changes its working directory.
func absolute(path string) string {
	if path == "" {
		return ""
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// onlyAbsolute returns path if it is absolute, and "" otherwise.
func onlyAbsolute(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return ""
}

// octal returns the mode of a file that octal digits stand for.
func octal(digits string) os.FileMode {
	n, _ := strconv.ParseUint(digits, 8, 9)
	return os.FileMode(n)
}

// dirMode returns the mode of dataDir: whoever may read its files may enter it.
func (s *settings) dirMode() os.FileMode {
	return s.dataMode | s.dataMode&0o444>>2
}

// lacksKey reports whether a serverUrl of this run has no effect for want of a key.
func (s *settings) lacksKey() bool { return hasNetwork && s.explicit && s.apiKey == "" }

const noKey = "serverUrl is set, but apiKey is not: nothing is sent; set SCAVENGER_API_KEY to the key of the workspace"

// explain logs why a program is inert although its environment asks it to report.
func (s *settings) explain(out io.Writer) {
	log, said := newLogger(out, s), s.asked
	if !s.enabled {
		said = nil
		if s.collects() || s.dataDir != "" {
			said = s.mistaken
		}
	}
	for _, problem := range said {
		log.Warn("%s", problem)
	}
	switch {
	case s.fileErr != nil:
		log.Warn("reading settings: %v", s.fileErr)
	case s.enabled && s.lacksKey():
		log.Warn(noKey)
	case s.enabled && s.explicit: // serverUrl is not a URL, or the program has no network code
		for _, problem := range s.problems {
			if !slices.Contains(s.asked, problem) {
				log.Warn("%s", problem)
			}
		}
	}
}

// shown returns a value as messages show it.
func shown(v string) string {
	return strconv.Quote(clamp(v, 60))
}
