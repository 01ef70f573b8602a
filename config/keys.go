// The table of settings. It is the one source of what a key is called, what
// values it takes, when it acts and what a change of it costs: reading,
// validation, docs/settings.md and what `scavenger-wrap init` writes all follow
// it. hitrt, which shares no code with the others, is held to it by a test.

package config

import (
	"slices"
	"strings"
)

// A Kind is the form of a setting's value.
type Kind string

// The kinds. Of lists, variables and scavenger.conf have the entries separated
// by ",", ";" or ":"; markers by "," or ";", since ":" is part of them; and
// regular expressions by "," only, as for the Java agent.
const (
	String   Kind = "string"
	Packages Kind = "list of packages"
	Markers  Kind = "list of markers"
	Regexps  Kind = "list of regular expressions"
	Bool     Kind = "true or false"
	Int      Kind = "number"
	Duration Kind = "duration"
	Size     Kind = "size"
	Choice   Kind = "choice"
	URL      Kind = "URL"
)

// An Effect is what a changed setting makes the go command do again.
type Effect string

// The effects.
const (
	Recompiles Effect = "compile" // compile all packages, as for another compiler
	Relinks    Effect = "link"    // link programs
)

// A Key is one setting.
type Key struct {
	Name    string
	Aliases []string // other names, for what people know from elsewhere
	// Seconds is an alias whose value counts seconds where Name counts milliseconds.
	Seconds string
	Kind    Kind
	Default string   // as text; "" if there is none to be named
	Choices []string // of a Choice; the first is the default
	Min     int64    // of an Int
	// Build says that the key acts when a program is built, and is read from
	// variables there. All others act when the program runs: the file's value is
	// built in, and the variable of the running program comes before it.
	Build  bool
	Effect Effect
	Secret bool // never printed
	// Ignored is why a key of another agent's has no effect. Refused is why a value
	// other than the default is an error. Each says what to do instead.
	Ignored, Refused string
	Example          string // as it would stand in scavenger.toml
	Doc              string // one sentence or a few, without line breaks
}

// Keys are all settings, in the order in which people should read them.
var Keys = []Key{
	{
		Name: "packages", Kind: Packages, Build: true, Effect: Recompiles, Example: `["example.com/shop"]`,
		Doc: "Packages to mark, each with those below it: import paths (`example.com/shop`), patterns with `...`, or the dotted form that Scavenger's web page shows (`example.com.shop`). Default: the packages of the main module, or of all modules of the workspace.",
	},
	{
		Name: "excludePackages", Kind: Packages, Build: true, Effect: Recompiles, Example: `["example.com/shop/internal/mock"]`,
		Doc: "Packages to leave out of those.",
	},
	{
		Name: "additionalPackages", Kind: Packages, Build: true, Effect: Recompiles, Example: `["example.com/shop/internal/mock/server"]`,
		Doc: "Packages to mark whatever `packages`, `excludePackages` and `annotations` say.",
	},
	{
		Name: "excludeGenerated", Kind: Bool, Default: "true", Build: true, Effect: Recompiles, Example: "false",
		Doc: "Leave out files that have the standard line `// Code generated … DO NOT EDIT.` above their package clause.",
	},
	{
		Name: "methodVisibility", Kind: Choice, Choices: []string{"private", "package-private", "protected", "public"}, Default: "private", Build: true, Effect: Recompiles, Example: `"public"`,
		Doc: "`public` or `protected`: only exported functions, and exported methods of exported types. `package-private` or `private`: all. The Java agent's default is `protected`; here it is everything, since most of a Go program is not exported.",
	},
	{
		Name: "excludeConstructors", Aliases: []string{"excludeInit"}, Kind: Bool, Default: "false", Build: true, Effect: Recompiles, Example: "true",
		Doc: "Leave out functions `New…` and `Must…` that return a type of their own package.",
	},
	{
		Name: "excludeGetterSetter", Kind: Bool, Default: "false", Build: true, Effect: Recompiles, Example: "true",
		Doc: "Leave out methods whose body is one `return` of a field of the receiver, or one assignment of the only parameter to one.",
	},
	{
		Name: "annotations", Aliases: []string{"decorators"}, Kind: Markers, Build: true, Effect: Recompiles, Example: `["@Router", "//shop:endpoint"]`,
		Doc: "Mark only functions whose doc comment, or whose receiver type's, has a line that begins with one of these words (`@Router`, or the directive `//shop:endpoint`), or with `//scavenger:track`.",
	},
	{
		Name: "excludeByRegex", Kind: Regexps, Build: true, Effect: Recompiles, Example: "['.*\\.(Mock|Fake)[A-Za-z]*']",
		Doc: "Leave out functions whose name, or whose receiver type's, one of these matches as a whole: `example.com/shop/cart.New`, `example.com/shop/cart.Cart.Add`, `example.com/shop/cart.Cart`.",
	},
	{
		Name: "additionalByRegex", Kind: Regexps, Build: true, Effect: Recompiles, Example: "['.*\\.Handler\\..*']",
		Doc: "Mark functions of the packages whose name, or whose receiver type's, one of these matches, though `annotations` would leave them out.",
	},
	{
		Name: "closures", Kind: Bool, Default: "false", Build: true, Effect: Recompiles, Example: "true",
		Doc: "List and mark function literals by themselves, under the names that the runtime has for them: `Outer.func1` is the first in `Outer`, `init.func1` the first that a variable is initialised with. Scavenger shows `Outer-func1`. A literal more or less gives those behind it other names. By default they belong to the function that they stand in.",
	},
	{
		Name: "trackTests", Kind: Bool, Default: "false", Build: true, Effect: Recompiles, Example: "true",
		Doc: "Let test binaries report too. A call in a test is then taken for use of the code.",
	},
	{
		Name: "maxMethodsCount", Kind: Int, Default: "100000", Min: 1, Build: true, Effect: Relinks, Example: "200000",
		Doc: "A program with more functions is not linked; the message names its largest packages.",
	},
	{
		Name: "enabled", Kind: Bool, Default: "true", Effect: Relinks, Example: "false",
		Doc: "`false` makes the program inert.",
	},
	{
		Name: "apiKey", Aliases: []string{"licenseKey"}, Kind: String, Effect: Relinks, Secret: true, Example: `"00000000-0000-0000-0000-000000000000"`,
		Doc: "Key of the Scavenger workspace, from the web page's dashboard. Whoever has the program can read what is built in.",
	},
	{
		Name: "serverUrl", Kind: URL, Effect: Relinks, Example: `"https://scavenger.example.com"`,
		Doc: "URL of the collector. Nothing is sent without it and `apiKey`.",
	},
	{
		Name: "grpcTls", Kind: Choice, Choices: []string{"auto", "on", "off"}, Default: "auto", Effect: Relinks, Example: `"off"`,
		Doc: "TLS for publications: `auto` follows the scheme of `serverUrl`; `off` is for a collector behind a proxy that ends TLS for http only.",
	},
	{
		Name: "dataDir", Kind: String, Effect: Relinks, Example: `"/var/lib/shop/scavenger"`,
		Doc: "Directory for local files, which `scavenger-wrap report` reads. With or without a collector.",
	},
	{
		Name: "appName", Kind: String, Effect: Relinks, Example: `"shop"`,
		Doc: "Name of the application. Default: the last element of the main package's import path.",
	},
	{
		Name: "appVersion", Kind: String, Effect: Relinks, Example: `"1.2.3"`,
		Doc: "Version of the application. Default: the version or revision that it was built from.",
	},
	{
		Name: "environment", Kind: String, Default: "<default>", Effect: Relinks, Example: `"production"`,
		Doc: "Environment of the process, such as `production`.",
	},
	{
		Name: "hostname", Kind: String, Effect: Relinks, Example: `"host-1"`,
		Doc: "Name of the host. Default: what the system says.",
	},
	{
		Name: "exitTimeout", Kind: Duration, Default: "2s", Effect: Relinks, Example: `"500ms"`,
		Doc: "The longest that the program waits for the collector when it ends: `500ms`, `2s`, or a number of seconds.",
	},
	{
		Name: "schedulerInitialDelayMillis", Seconds: "schedulerInitialDelaySeconds", Kind: Int, Default: "10000", Effect: Relinks, Example: "1000",
		Doc: "Time from the start to the first exchange with the collector.",
	},
	{
		Name: "schedulerIntervalMillis", Seconds: "schedulerIntervalSeconds", Kind: Int, Default: "10000", Min: 10, Effect: Relinks, Example: "5000",
		Doc: "Time between two looks at what is due.",
	},
	{
		Name: "forceIntervalSeconds", Kind: Int, Default: "0", Effect: Relinks, Example: "60",
		Doc: "If not 0, the interval of publications in place of what the collector says.",
	},
	{
		Name: "maxMessageSize", Kind: Size, Default: "10000000", Effect: Relinks, Example: `"5MB"`,
		Doc: "The largest message to the collector, in bytes, `KB` or `MB`, from 64 KB to 1024 MB. A codebase that is larger goes out in several. What the collector refuses as too large is halved in any case; raise it only with the collector's own limit of 10 MB.",
	},
	{
		Name: "logFile", Kind: String, Effect: Relinks, Example: `"/var/log/shop/scavenger.log"`,
		Doc: "File that the program appends its lines about scavenger to, in place of standard error. At most one line of a kind in an hour, but for those of level `debug`, and never the api key.",
	},
	{
		Name: "logLevel", Kind: Choice, Choices: []string{"warn", "debug", "info", "error"}, Default: "warn", Effect: Relinks, Example: `"info"`,
		Doc: "What it says: `error` what ends its work, `warn` also what somebody should look at, `info` also what was published first and again, `debug` each exchange with the collector.",
	},
	{
		Name: "debugMode", Kind: Bool, Default: "false", Effect: Relinks, Example: "true",
		Doc: "The same as `logLevel` = `debug`.",
	},
	{
		Name: "httpConnectTimeoutSeconds", Kind: Int, Default: "10", Ignored: "the times are fixed: 10 s to connect, 10 s for a poll, 30 s for a publication, none of which the program waits for",
	},
	{
		Name: "httpReadTimeoutSeconds", Kind: Int, Default: "10", Ignored: "the times are fixed: 10 s to connect, 10 s for a poll, 30 s for a publication, none of which the program waits for",
	},
	{
		Name: "httpWriteTimeoutSeconds", Kind: Int, Default: "30", Ignored: "the times are fixed: 10 s to connect, 10 s for a poll, 30 s for a publication, none of which the program waits for",
	},
	{
		Name: "codeBase", Aliases: []string{"codebase"}, Kind: String, Ignored: "not needed: the build knows which packages a program has",
	},
	{
		Name: "asyncCodeBaseScanMode", Aliases: []string{"asyncCodebaseScanMode"}, Kind: Bool, Default: "false", Ignored: "not needed: functions are listed when the program is built, and published in the background",
	},
	{
		Name: "legacyCompatibilityMode", Kind: Bool, Default: "false", Ignored: "it is about signatures of an older Java agent",
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

// A spelling is one of the names that a key can be written as.
type spelling struct {
	key     *Key
	seconds bool // its values are to be multiplied by 1000
}

// lookUp finds a key by any of its names, in camel case or, as the Python agent
// has it, with underscores.
func lookUp(name string) (spelling, bool) {
	camel := camelCase(name)
	for i := range Keys {
		k := &Keys[i]
		if camel == k.Seconds && camel != "" {
			return spelling{k, true}, true
		}
		for _, n := range k.names() {
			if n == camel {
				return spelling{key: k}, true
			}
		}
	}
	return spelling{}, false
}

// names returns the names whose values mean the same.
func (k *Key) names() []string {
	return append([]string{k.Name}, k.Aliases...)
}

// allNames returns every name in camel case, for suggestions.
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

// When says when the key acts.
func (k *Key) When() string {
	switch {
	case k.Ignored != "":
		return "never"
	case k.Build:
		return "build"
	}
	return "run"
}

// camelCase makes server_url serverUrl; a name without underscores stays.
func camelCase(name string) string {
	parts := strings.Split(name, "_")
	for i, p := range parts[1:] {
		if p != "" {
			parts[i+1] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "")
}

// Variable returns the name of the environment variable that holds the
// setting of that name: SCAVENGER_SERVER_URL for serverUrl.
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

// Nearest returns the candidate that name is most likely a misspelling of, "" if
// none is near.
func Nearest(name string, candidates []string) string {
	best, bestDistance := "", 1+max(1, len(name)/3)
	for _, c := range candidates {
		if len(c) < 2 {
			continue // a short form
		}
		if d := distance(strings.ToLower(name), strings.ToLower(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance is the number of bytes to insert, delete or replace, or of neighbours
// to exchange, that makes a into b.
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

// LookUp returns the key of that name, alias or spelling, nil if there is none.
func LookUp(name string) *Key {
	s, _ := lookUp(name)
	return s.key
}

// A Assignment is a SCAVENGER_ variable of an environment.
type Assignment struct {
	Name, Value string
	Key         *Key   // nil if it is no setting's
	Nearest     string // in that case, what it is most likely a misspelling of, if anything
}

// Options returns the settings in a value of SCAVENGER_OPTIONS, of the form
// "key=value;key=value".
func Options(text string) []Assignment {
	var all []Assignment
	for _, option := range strings.Split(text, ";") {
		name, value, _ := strings.Cut(option, "=")
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		v := Assignment{Name: name, Value: strings.TrimSpace(value), Key: LookUp(name)}
		if v.Key == nil {
			v.Nearest = Nearest(camelCase(name), allNames())
		}
		all = append(all, v)
	}
	return all
}

// Variables returns the variables of environ, in its form, that look like
// settings, sorted by name.
func Variables(environ []string) []Assignment {
	known := map[string]*Key{"SCAVENGER_WRAP_LOG": nil, "SCAVENGER_WRAP_LOG_LEVEL": nil, "SCAVENGER_OPTIONS": nil, fileVariable: nil}
	var candidates []string
	for i := range Keys {
		for _, n := range append(Keys[i].names(), Keys[i].Seconds) {
			if n != "" {
				known[Variable(n)] = &Keys[i]
				candidates = append(candidates, Variable(n))
			}
		}
	}
	var all []Assignment
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, "SCAVENGER_") {
			continue
		}
		k, ok := known[name]
		if ok && k == nil {
			continue
		}
		v := Assignment{Name: name, Value: value, Key: k}
		if !ok {
			v.Nearest = Nearest(name, candidates)
		}
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b Assignment) int { return strings.Compare(a.Name, b.Name) })
	return all
}
