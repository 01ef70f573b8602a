package config

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// samples has for each kind a value other than the default, as it is written in TOML and
// in properties and variables, and what becomes of it. It also has bad values with the
// errors about them.
var samples = map[Kind]struct {
	toml, text, want string
	bad              map[string]string
}{
	String: {`"x y"`, " x y ", "x y", map[string]string{"1": "want a string, have 1", "[]": "want a string, have []"}},
	Path: {`"x y/~"`, " x y/~ ", "x y/~", map[string]string{"1": "want a path, have 1", `"~/x"`: `want a path, have "~/x", and nothing replaces the "~": write $HOME or another variable, or ./~/x for that name`,
		`"~"`: "./~ for", `"~shop/x"`: "./~shop/x for", `"~/$USER"`: "./~/$USER for", `"%h/x"`: `nothing replaces the "%"`, `'%LOCALAPPDATA%\x'`: "write $HOME"}},
	Packages: {`["a.b/c", "d..."]`, " a.b/c ,d...;", "a.b/c, d...", map[string]string{"1": "want a list of strings, have 1", "[1]": "have 1 in it", `["./x"]`: `package pattern "./x": relative`, `"a b"`: "not an import path", `"a.*"`: `the wildcard is "..."`}},
	Markers:  {`["@Router", "//a:b"]`, "@Router; //a:b", "@Router, a:b", map[string]string{`["a b"]`: `marker "a b": want one word`, `"@"`: "want one word"}},
	Regexps:  {`['a;b.*', "c"]`, "a;b.*, c", "a;b.*, c", map[string]string{`"("`: "error parsing regexp: missing closing ): `(`"}},
	Bool:     {"true", "TRUE", "true", map[string]string{`"yes"`: `want true or false, have "yes"`, "1": `want true or false, have "1"`}},
	Int:      {"12", "12", "12", map[string]string{`"x"`: "want a number from", "-1": "want a number from", "1.5": "want a number from"}},
	Duration: {`"750ms"`, "750ms", "750ms", map[string]string{`"1h"`: "want a duration", `"x"`: "want a duration", "true": "want a duration"}},
	Age:      {`"36h"`, "36H", "36h", map[string]string{`"1m"`: "want a number of hours, days or weeks", `"0d"`: "want a number of", `"d"`: "want a number of", `"1000000d"`: "want a number of", "true": "want a number of", "5": "want a number of"}},
	Size:     {`"5MB"`, "5MB", "5MB", map[string]string{`"1KB"`: "want a size", `"2GB"`: "want a size", `"5MBB5"`: "want a size", "true": "want a size"}},
	URL:      {`"http://h:1/x"`, "http://h:1/x", "http://h:1/x", map[string]string{`"ftp://h"`: "want a URL of the form", `"http://u:p@h"`: "want a URL of the form", "1": "want a string such as"}},
}

// Every key is read from both files and from variables, by each of its names and
// spellings. It changes the right settings and IDs.
func TestKeys(t *testing.T) {
	plain, err := load(tree(t, map[string]string{"go.mod": "module m\n"}))
	if err != nil {
		t.Fatal(err)
	}
	for i := range Keys {
		k := &Keys[i]
		t.Run(k.Name, func(t *testing.T) {
			s := samples[k.Kind]
			if k.Kind == Choice {
				last := k.Choices[len(k.Choices)-1]
				s.toml, s.text, s.want, s.bad = fmt.Sprintf("%q", last), strings.ToUpper(last), last, map[string]string{`"x"`: "want one of " + k.Choices[0], "1": "want one of"}
			}
			if k.Default == "true" {
				s.toml, s.text, s.want = "false", "False", "false"
			}
			if k.Refused != "" {
				if _, err := load(tree(t, map[string]string{"go.mod": "module m\n", FileName: k.Name + " = " + s.toml})); err == nil || !strings.Contains(err.Error(), FileName+":1:1: "+k.Name+": "+k.Refused) {
					t.Fatalf("%v, want that it is refused", err)
				}
				s.toml, s.text, s.want = "false", "false", "false"
			}
			for _, name := range k.names() {
				for file, text := range map[string]string{
					FileName: name + " = " + s.toml, PropertiesName: name + "=" + s.text, "conf": snake(name) + ": " + s.text,
				} {
					if file == "conf" {
						file = PropertiesName
					}
					c, err := load(tree(t, map[string]string{"go.mod": "module m\n", file: "\n" + text + "\n"}))
					if err != nil {
						t.Fatalf("%s: %v", text, err)
					}
					checkSetting(t, c, plain, k, text, s.want, file+":2:1")
				}
				dir := tree(t, map[string]string{"go.mod": "module m\n", FileName: k.Name + " = " + s.toml})
				c, err := load(dir, Variable(name), " ")
				if err != nil {
					t.Fatal(err)
				}
				if has := len(c.Settings) == 1; has == k.Build {
					t.Errorf("with a blank %s the settings are %v", Variable(name), c.Settings)
				}
				c, err = load(dir, Variable(name), s.text)
				if err != nil {
					t.Fatal(err)
				}
				if fromVariable := len(c.Settings) == 1 && c.Settings[0].From == Variable(name); fromVariable != k.Build {
					t.Errorf("with a file and %s the settings are %v", Variable(name), c.Settings)
				}
				c, err = load(tree(t, map[string]string{"go.mod": "module m\n"}), Variable(name), s.text)
				if err != nil {
					t.Fatal(err)
				}
				if k.Build {
					checkSetting(t, c, plain, k, Variable(name), s.want, Variable(name))
				} else if len(c.Settings) != 0 || len(c.Run) != 0 {
					t.Errorf("%s at build time was read: %v", Variable(name), c.Settings)
				}
			}
			for bad, want := range s.bad {
				if k.Secret {
					want, _, _ = strings.Cut(want, ", have")
				}
				text, column := " "+k.Name+" = "+bad, 2
				if quote := strings.Index(text, `"`); quote >= 0 && (k.Kind == Packages || k.Kind == Markers || k.Kind == Regexps) {
					column = quote + 2 // that of the entry
				}
				position := fmt.Sprintf("%s:1:%d: %s: ", FileName, column, k.Name)
				_, err := load(tree(t, map[string]string{"go.mod": "module m\n", FileName: text}))
				if err == nil || !strings.Contains(err.Error(), position) || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: error %v, want %q and %q", bad, err, position, want)
				}
			}
		})
	}
}

func checkSetting(t *testing.T, c, plain *Config, k *Key, from, want, position string) {
	t.Helper()
	if len(c.Settings) != 1 || c.Settings[0].Key != k {
		t.Fatalf("%s: settings %v", from, c.Settings)
	}
	s := c.Settings[0]
	got := s.Value
	if s.List != nil {
		got = strings.Join(s.List, ", ")
	}
	if !strings.EqualFold(got, want) || !strings.HasSuffix(s.From, position) {
		t.Errorf("%s: value %q from %s, want %q from %s", from, got, s.From, want, position)
	}
	isDefault := strings.EqualFold(got, k.Default) || k.Refused != ""
	compile, link := ids(c)
	plainCompile, plainLink := ids(plain)
	if (compile != plainCompile) != (k.Effect == Recompiles && !isDefault) || (link != plainLink) != (k.Effect == Relinks && !isDefault) {
		t.Errorf("%s: compile ID changes: %v, link ID changes: %v, want %s", from, compile != plainCompile, link != plainLink, k.Effect)
	}
	_, run := c.Run[k.Name]
	if want := !k.Build && k.Ignored == "" && k.Refused == ""; run != want {
		t.Errorf("%s: built in: %v, want %v", from, run, want)
	}
	if noted := slices.ContainsFunc(c.Notes, func(n string) bool { return strings.Contains(n, k.Name+" has no effect") }); noted != (k.Ignored != "" || k.Name == "serverUrl") {
		t.Errorf("%s: notes %q", from, c.Notes)
	}
	if k.Secret && strings.Contains(s.Text(), want) {
		t.Errorf("%s: printed as %q", from, s.Text())
	}
}

func ids(c *Config) (compile, link string) {
	var a, b strings.Builder
	c.WriteCompileID(&a)
	c.WriteLinkID(&b)
	return a.String(), b.String()
}

func snake(name string) string {
	return strings.ToLower(strings.TrimPrefix(Variable(name), "SCAVENGER_"))
}

// Each name is in the table once, and every key has what its readers need.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for i := range Keys {
		k := &Keys[i]
		for _, n := range append(k.names(), k.Seconds) {
			if n != "" && seen[n] {
				t.Errorf("%s is there twice", n)
			}
			seen[n] = true
		}
		if k.Kind == Choice && (len(k.Choices) == 0 || !slices.Contains(k.Choices, k.Default)) {
			t.Errorf("%s: default %q is not one of %q", k.Name, k.Default, k.Choices)
		}
		if k.Ignored == "" && k.Refused == "" && (k.Doc == "" || k.Example == "" || k.Effect == "") {
			t.Errorf("%s lacks a description, an example or an effect", k.Name)
		}
		if k.Ignored == "" && k.Example != "" {
			if _, err := load(tree(t, map[string]string{"go.mod": "module m\n", FileName: k.Name + " = " + k.Example})); err != nil {
				t.Errorf("the example: %v", err)
			}
		}
		if k.Default != "" && k.Kind != String && k.Ignored == "" {
			if err := checkScalar(k, k.Default); err != nil {
				t.Errorf("%s: the default: %v", k.Name, err)
			}
		}
	}
}

func TestSeconds(t *testing.T) {
	c, err := load(tree(t, map[string]string{"go.mod": "module m\n", PropertiesName: "scheduler_interval_seconds = 7\nschedulerInitialDelayMillis = 5\n"}))
	if err != nil {
		t.Fatal(err)
	}
	if c.Run["schedulerIntervalMillis"] != "7000" || c.Run["schedulerInitialDelayMillis"] != "5" {
		t.Errorf("run-time settings %q", c.Run)
	}
}

func TestMasked(t *testing.T) {
	for secret, want := range map[string]string{"": "…", "1234567": "…", "4c94e0dd-ad04": "4c94…"} {
		if got := masked(secret); got != want {
			t.Errorf("masked(%q) = %q, want %q", secret, got, want)
		}
	}
}

// A value that is blank or only a reference is no secret.
func TestSecretText(t *testing.T) {
	for value, want := range map[string]string{"": "", "$KEY": "$KEY", "${KEY}": "${KEY}", "$4c94e0dd-ad04": "$4c9…", "$Secret": "…", "4c94e0dd-ad04": "4c94…", "short": "…"} {
		if got := (Setting{Key: LookUp("apiKey"), Value: value}).Text(); got != want {
			t.Errorf("%q is shown as %q, want %q", value, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	for name, want := range map[string]string{
		"pakages": "packages", "severUrl": "serverUrl", "serverUlr": "serverUrl", "apepName": "appName", "tgas": "tags", "apikey": "apiKey", "excludeGeterSetter": "excludeGetterSetter", "colour": "", "a": "",
	} {
		if got := Nearest(name, allNames()); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

// hitrt knows the same names, and which of them act where a program runs.
func TestHitrtKeys(t *testing.T) {
	values := map[string]string{}
	for _, name := range []string{"misspelled.go", "settingsreader.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "hitrt", name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			ast.Inspect(spec.Values[0], func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok {
					values[spec.Names[0].Name] += strings.Trim(lit.Value, `"`)
				}
				return true
			})
			return false
		})
	}
	var run, other []string
	for i := range Keys {
		k := &Keys[i]
		names := k.names()
		if k.Seconds != "" {
			names = append(names, k.Seconds)
		}
		if k.Build || k.Ignored != "" || k.Refused != "" {
			other = append(other, names...)
		} else {
			run = append(run, names...)
		}
	}
	var guessed []string
	for _, g := range guesses {
		if !slices.Contains(other, g.name) {
			guessed = append(guessed, g.name+" "+g.words)
		}
	}
	if got, want := values["guesses"], strings.Join(guessed, ";"); got != want {
		t.Errorf("hitrt's guesses are\n%s, want\n%s", got, want)
	}
	for name, want := range map[string][]string{"runKeys": run, "otherKeys": other, "falseWords": booleans[1:], "replacedElsewhere": {replacedElsewhere}} {
		got := strings.Fields(values[name])
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("hitrt's %s are\n%q, want\n%q", name, got, want)
		}
	}
}
