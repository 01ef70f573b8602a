// The table of settings. It alone says what a key is called, what values it takes, when
// it acts, and what a change of it costs. The parsers, the checks, docs/settings.md and
// `scavenger-wrap init` follow it. hitrt shares no code with the other packages, so a
// test compares its keys with the table.

package config

import (
	"slices"
	"strings"
)

// A Kind is the form of a setting's value.
type Kind string

// The kinds. In variables and in scavenger.conf, a list is a string with separators: ",",
// ";" or ":" between packages; "," or ";" between markers, which may contain ":"; and ","
// between regular expressions, as for the Java agent.
const (
	String   Kind = "string"
	Path     Kind = "path"
	Packages Kind = "list of packages"
	Markers  Kind = "list of markers"
	Regexps  Kind = "list of regular expressions"
	Bool     Kind = "true or false"
	Int      Kind = "number"
	Duration Kind = "duration"
	Age      Kind = "hours, days or weeks"
	Size     Kind = "size"
	Choice   Kind = "choice"
	URL      Kind = "URL"
)

// An Effect is what a changed setting makes the go command do again.
type Effect string

// The effects.
const (
	Recompiles Effect = "compile" // compile all packages, as for another compiler
	Remarks    Effect = "marks"   // compile packages whose marks change, and link programs
	Relinks    Effect = "link"    // link programs
)

// A Key is one setting.
type Key struct {
	Name    string
	Aliases []string // other names, which other agents use
	// Seconds is an alias with a value in seconds, where that of Name is in milliseconds.
	Seconds string
	Kind    Kind
	Default string   // as text; "" if the default is no fixed value
	Choices []string // the values of a Choice; the first is the default
	Min     int64    // the smallest value of an Int
	// Build says that the key acts when a program is built; its variable is read then.
	// Any other key acts when the program runs: the file's value is built in, and a
	// variable of the running program takes precedence over it.
	Build  bool
	Effect Effect
	Secret bool // the value is never printed
	// Ignored says why a key of another agent has no effect here. Refused says why a
	// value other than the default is an error, and what to do instead.
	Ignored, Refused string
	Example          string // the value as it is written in scavenger.toml
	Doc              string // one sentence or a few, without line breaks
}

// Keys is the table of all settings, in the order in which people should read them.
var Keys = []Key{
	{
		Name: "packages", Kind: Packages, Build: true, Effect: Recompiles, Example: `["example.com/shop"]`,
		Doc: "Packages to mark, each with those below it: import paths (`example.com/shop`), patterns with `...`, or the dotted form that Scavenger's web page shows (`example.com.shop`). Default: the packages of the main module, or of all modules of the workspace.",
	},
	{
		Name: "excludePackages", Kind: Packages, Build: true, Effect: Recompiles, Example: `["example.com/shop/internal/mock"]`,
		Doc: "Packages to leave out, though `packages` matches them.",
	},
	{
		Name: "additionalPackages", Kind: Packages, Build: true, Effect: Recompiles, Example: `["example.com/shop/internal/mock/server"]`,
		Doc: "Packages to mark in any case, whatever `packages`, `excludePackages` and `annotations` say.",
	},
	{
		Name: "excludeGenerated", Kind: Bool, Default: "true", Build: true, Effect: Recompiles, Example: "false",
		Doc: "Leave out files with the line `// Code generated … DO NOT EDIT.` above their package clause.",
	},
	{
		Name: "methodVisibility", Kind: Choice, Choices: []string{"private", "package-private", "protected", "public"}, Default: "private", Build: true, Effect: Recompiles, Example: `"public"`,
		Doc: "`public` or `protected`: only exported functions, and exported methods of exported types. `package-private` or `private`: all. The default is everything, since most of a Go program is not exported; the Java agent's default is `protected`.",
	},
	{
		Name: "excludeConstructors", Aliases: []string{"excludeInit"}, Kind: Bool, Default: "false", Build: true, Effect: Recompiles, Example: "true",
		Doc: "Leave out functions `New…` and `Must…` that return a type of their own package. The form in which Scavenger's web page makes a `scavenger.conf` has this selected from the start: take the tick away to see whether a constructor is called.",
	},
	{
		Name: "excludeGetterSetter", Kind: Bool, Default: "false", Build: true, Effect: Recompiles, Example: "true",
		Doc: "Leave out methods that only return a field of their receiver, or only assign their one parameter to a field of it.",
	},
	{
		Name: "annotations", Aliases: []string{"decorators"}, Kind: Markers, Build: true, Effect: Recompiles, Example: `["@Router", "//shop:endpoint"]`,
		Doc: "Mark only functions with one of these words in their doc comment, or in that of their receiver type, at the start of a line (`@Router`, or the directive `//shop:endpoint`). `//scavenger:track` works in the same way.",
	},
	{
		Name: "excludeByRegex", Kind: Regexps, Build: true, Effect: Recompiles, Example: "['.*\\.(Mock|Fake)[A-Za-z]*']",
		Doc: "Leave out functions if one of these matches their whole name (`example.com/shop/cart.New`, `example.com/shop/cart.Cart.Add`) or that of their receiver type (`example.com/shop/cart.Cart`).",
	},
	{
		Name: "additionalByRegex", Kind: Regexps, Build: true, Effect: Recompiles, Example: "['.*\\.Handler\\..*']",
		Doc: "Mark functions if one of these matches their whole name or that of their receiver type, although `annotations` would leave them out.",
	},
	{
		Name: "closures", Kind: Bool, Default: "false", Build: true, Effect: Recompiles, Example: "true",
		Doc: "List and mark function literals separately. By default, a literal belongs to the function that contains it. Literals have the names that the runtime gives them: `Outer.func1` is the first in `Outer`, and `init.func1` the first in initialisers of variables. Scavenger shows `Outer·func1`. If you add or remove a literal, the ones behind it get other names.",
	},
	{
		Name: "trackTests", Kind: Bool, Default: "false", Build: true, Effect: Recompiles, Example: "true",
		Doc: "Let test binaries report too. Functions that only tests call are then shown as called.",
	},
	{
		Name: "evidence", Kind: Path, Build: true, Effect: Remarks, Example: `"report.json"`,
		Doc: "What an earlier build of the program called: a report (`report --format=json`) or a `dataDir`, relative to the settings file. Functions that it says were called lately get no mark, and count as called then: docs/evidence.md says for whom that is.",
	},
	{
		Name: "evidenceMaxAge", Kind: Age, Default: "30d", Build: true, Effect: Remarks, Example: `"2w"`,
		Doc: "How long before the latest time in `evidence` a call may be for its function to get no mark. Within that time each of these functions is marked once for a thirtieth of it.",
	},
	{
		Name: "maxMethodsCount", Kind: Int, Default: "100000", Min: 1, Build: true, Effect: Relinks, Example: "200000",
		Doc: "A program with more functions is not linked. The error names its largest packages.",
	},
	{
		Name: "network", Kind: Bool, Default: "true", Build: true, Effect: Relinks, Example: "false",
		Doc: "`false` links programs without the code that reports to a collector. They write local files only, and a program that does not use the network itself is some MB smaller for it. `serverUrl` and `apiKey` are not built in; where the program runs, a `serverUrl` is refused, in one line of its log. What is in `dataDir` can be sent with `scavenger-wrap publish`.",
	},
	{
		Name: "enabled", Kind: Bool, Default: "true", Effect: Relinks, Example: "false",
		Doc: "`false` makes the program inert.",
	},
	{
		Name: "apiKey", Aliases: []string{"licenseKey"}, Kind: String, Effect: Relinks, Secret: true, Example: `"00000000-0000-0000-0000-000000000000"`,
		Doc: "Key of the Scavenger workspace, from the dashboard of the web page. If it is built in, anybody who has the program can read it.",
	},
	{
		Name: "serverUrl", Kind: URL, Effect: Relinks, Example: `"https://scavenger.example.com"`,
		Doc: "URL of the collector. Nothing is sent without both `serverUrl` and `apiKey`.",
	},
	{
		Name: "grpcTls", Kind: Choice, Choices: []string{"auto", "on", "off"}, Default: "auto", Effect: Relinks, Example: `"off"`,
		Doc: "TLS for publications: `auto` follows the scheme of `serverUrl`, or that of the collector's answer if only this is `https`; `off` is for a collector behind a proxy that terminates TLS for http only.",
	},
	{
		Name: "dataDir", Kind: Path, Effect: Relinks, Example: `"/var/lib/shop/scavenger"`,
		Doc: "Directory for local files, which `scavenger-wrap report` reads. They are written with or without a collector. A relative path is below the working directory of each process: name an absolute one where a program starts others elsewhere.",
	},
	{
		Name: "dataMode", Kind: Choice, Choices: []string{"0600", "0640", "0644"}, Default: "0600", Effect: Relinks, Example: `"0640"`,
		Doc: "Mode of new files in `dataDir`, and with the right to enter that of the directory if it is new: `0640` lets the group read them, `0644` everybody.",
	},
	{
		Name: "mapping", Kind: Choice, Choices: []string{"memory", "disk", "none"}, Default: "memory", Effect: Relinks, Example: `"disk"`,
		Doc: "Where calls are kept until they are written to `dataDir`, so that a process which is killed loses none: `memory` on tmpfs (`/dev/shm`, or `dataDir` if that is on one); `disk` in a file in `dataDir`, which survives a container that is removed with its memory, but lets a slow or full disk hold up the program; `none` in the process only. Linux.",
	},
	{
		Name: "appName", Kind: String, Effect: Relinks, Example: `"shop"`,
		Doc: "Name of the application. Default: the last element of the main package's import path.",
	},
	{
		Name: "appVersion", Kind: String, Effect: Relinks, Example: `"1.2.3"`,
		Doc: "Version of the application. Default: the version or revision of its source.",
	},
	{
		Name: "environment", Kind: String, Default: "<default>", Effect: Relinks, Example: `"production"`,
		Doc: "Environment of the process, such as `production`.",
	},
	{
		Name: "hostname", Kind: String, Effect: Relinks, Example: `"host-1"`,
		Doc: "Name of the host. Default: the name that the operating system gives.",
	},
	{
		Name: "exitTimeout", Kind: Duration, Default: "2s", Effect: Relinks, Example: `"500ms"`,
		Doc: "How long the program waits for the collector when it ends, at most: `500ms`, `2s`, or a number of seconds.",
	},
	{
		Name: "saveUnsent", Kind: Bool, Default: "true", Effect: Relinks, Example: "false",
		Doc: "What the collector does not accept when the program ends is saved in `$XDG_STATE_HOME/scavenger-wrap` (by default `~/.local/state/scavenger-wrap`), or else in `/var/tmp/scavenger-wrap-<uid>`, and the next process of the application sends it. `false`: it is lost, unless there is a `dataDir`. On OpenBSD the default is `false`; on Windows nothing is saved.",
	},
	{
		Name: "flushOnSignal", Kind: Bool, Effect: Relinks, Example: "false",
		Doc: "Before the program dies of SIGTERM, SIGINT or SIGHUP, it writes and sends what is pending, within `exitTimeout`. Default: on Unix, programs that do not import `os/signal` do so. `true`: the others do so too; only for those that do not handle these signals themselves, as they would get them twice. `false`: none does so.",
	},
	{
		Name: "schedulerInitialDelayMillis", Seconds: "schedulerInitialDelaySeconds", Kind: Int, Default: "10000", Effect: Relinks, Example: "1000",
		Doc: "Time from the start to the first exchange with the collector.",
	},
	{
		Name: "schedulerIntervalMillis", Seconds: "schedulerIntervalSeconds", Kind: Int, Default: "10000", Min: 10, Effect: Relinks, Example: "5000",
		Doc: "How often the program checks whether something is to be sent.",
	},
	{
		Name: "forceIntervalSeconds", Kind: Int, Default: "0", Effect: Relinks, Example: "60",
		Doc: "Interval between publications. If it is 0, the collector sets the interval.",
	},
	{
		Name: "maxMessageSize", Kind: Size, Default: "10000000", Effect: Relinks, Example: `"5MB"`,
		Doc: "The largest message to the collector, in bytes, `KB` or `MB`, from 64 KB to 1024 MB. A larger codebase is sent in several messages. If the collector refuses a message as too large, it is sent again in halves. The collector's own limit is 10 MB: raise both together.",
	},
	{
		Name: "logFile", Kind: Path, Effect: Relinks, Example: `"/var/log/shop/scavenger.log"`,
		Doc: "File to which the program appends its lines about scavenger, instead of standard error. It writes at most one line of a kind per hour, except at level `debug`, and never the API key.",
	},
	{
		Name: "logLevel", Kind: Choice, Choices: []string{"warn", "debug", "info", "error"}, Default: "warn", Effect: Relinks, Example: `"info"`,
		Doc: "What the program logs: `error` what ends its reporting; `warn` also what somebody should look at; `info` also that the collector answers, the first publications, and that it is sent again what it may have lost; `debug` also each exchange with the collector.",
	},
	{
		Name: "debugMode", Kind: Bool, Default: "false", Effect: Relinks, Example: "true",
		Doc: "The same as `logLevel` = `debug`.",
	},
	{
		Name: "httpConnectTimeoutSeconds", Kind: Int, Default: "10", Ignored: "the times are fixed: 10 s to connect, 10 s for a poll, 30 s for a publication; the program does not wait for any of them",
	},
	{
		Name: "httpReadTimeoutSeconds", Kind: Int, Default: "10", Ignored: "the times are fixed: 10 s to connect, 10 s for a poll, 30 s for a publication; the program does not wait for any of them",
	},
	{
		Name: "httpWriteTimeoutSeconds", Kind: Int, Default: "30", Ignored: "the times are fixed: 10 s to connect, 10 s for a poll, 30 s for a publication; the program does not wait for any of them",
	},
	{
		Name: "codeBase", Aliases: []string{"codebase"}, Kind: String, Ignored: "not needed: the build knows which packages a program has",
	},
	{
		Name: "asyncCodeBaseScanMode", Aliases: []string{"asyncCodebaseScanMode"}, Kind: Bool, Default: "false", Ignored: "not needed: the build lists the functions, and the program publishes them in the background",
	},
	{
		Name: "legacyCompatibilityMode", Kind: Bool, Default: "false", Ignored: "it is for signatures of an older Java agent",
	},
	{
		Name: "tags", Kind: String, Ignored: "the collector does not use them",
	},
	{
		Name: "callStackTraceMode", Kind: Bool, Default: "false",
		Refused: "who calls whom is not recorded; see Go's pprof for that",
		Doc:     "Not available.",
	},
}

// A spelling is one of the names of a key.
type spelling struct {
	key     *Key
	seconds bool // values have to be multiplied by 1000
}

// lookUp finds a key by any of its names, in camel case or with underscores, as the
// Python agent writes them.
func lookUp(name string) (spelling, bool) {
	camel := camelCase(name)
	for i := range Keys {
		k := &Keys[i]
		if camel == k.Seconds && camel != "" {
			return spelling{k, true}, true
		}
		if slices.Contains(k.names(), camel) {
			return spelling{key: k}, true
		}
	}
	return spelling{}, false
}

// names returns all names of a key but Seconds.
func (k *Key) names() []string {
	return append([]string{k.Name}, k.Aliases...)
}

// allNames returns every name of every key, for suggestions.
func allNames() []string {
	var all []string
	for i := range Keys {
		all = append(all, Keys[i].names()...)
		if s := Keys[i].Seconds; s != "" {
			all = append(all, s)
		}
	}
	return all
}

// When returns when the key acts: "build", "run" or "never".
func (k *Key) When() string {
	switch {
	case k.Ignored != "":
		return "never"
	case k.Build:
		return "build"
	}
	return "run"
}

// camelCase returns serverUrl for server_url. A name without underscores stays the same.
func camelCase(name string) string {
	parts := strings.Split(name, "_")
	for i, p := range parts[1:] {
		if p != "" {
			parts[i+1] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "")
}

// Variable returns the name of the environment variable for a key: SCAVENGER_SERVER_URL
// for serverUrl.
func Variable(name string) string {
	var b strings.Builder
	b.WriteString("SCAVENGER_")
	for _, r := range name {
		if 'A' <= r && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}

// Nearest returns the candidate of which name is most likely a misspelling, or "" if none
// is near.
func Nearest(name string, candidates []string) string {
	best, bestDistance := "", 1+max(1, len(name)/3)
	for _, c := range candidates {
		if len(c) < 2 {
			continue // a short form of a command or flag
		}
		if d := distance(strings.ToLower(name), strings.ToLower(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance returns how many edits turn a into b, if an edit inserts, deletes or replaces
// a byte, or exchanges two neighbours.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replaced := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			d := min(replaced, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}

// LookUp returns the key with the given name, alias or spelling, or nil.
func LookUp(name string) *Key {
	s, _ := lookUp(name)
	return s.key
}
