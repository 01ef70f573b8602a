package command

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/config"
)

var update = flag.Bool("update", false, "write the goldens")

// The words that are not taken for tools are the names of the commands.
func TestCommandNames(t *testing.T) {
	cmd := &commands{stdout: io.Discard, stderr: io.Discard}
	want := []string{"help", "h"}
	for _, c := range cmd.app().Commands {
		want = append(want, c.Names()...)
		if c.Usage == "" || c.Name != "version" && c.Description == "" {
			t.Errorf("%s has no help", c.Name)
		}
	}
	got := slices.Clone(commandNames)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("commandNames are %q, want %q", got, want)
	}
}

// hitrt cannot import config. It reads the keys of config's table, with the same aliases
// and defaults.
func TestRuntimeKeys(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../hitrt/settings.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{} // key and aliases -> default
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !slices.Contains([]string{"text", "path", "boolean", "integer", "duration", "size", "choice"}, sel.Sel.Name) {
			return true
		}
		var words []string
		for _, arg := range call.Args {
			if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				word, _ := strconv.Unquote(lit.Value)
				words = append(words, word)
			}
		}
		if len(words) == 0 {
			return true
		}
		switch standard := call.Args[min(1, len(call.Args)-1)].(type) {
		case *ast.BasicLit:
			if sel.Sel.Name == "integer" {
				got[words[0]] = strings.ReplaceAll(standard.Value, "_", "")
				return true
			}
		case *ast.Ident:
			got[words[0]] = standard.Name
			if sel.Sel.Name == "size" {
				got[words[0]] = "" // a constant
			}
			return true
		}
		if sel.Sel.Name == "choice" {
			got[words[0]] = words[1]
			return true
		}
		got[strings.Join(words, " ")] = ""
		return true
	})
	want := map[string]string{}
	for _, k := range config.Keys {
		if k.Build || k.Ignored != "" || k.Refused != "" {
			continue
		}
		standard := k.Default
		if k.Kind == config.String || k.Kind == config.Duration || k.Kind == config.Size {
			standard = "" // said in other words
		}
		want[strings.Join(append([]string{k.Name}, k.Aliases...), " ")] = standard
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("hitrt reads   %v\nthe table has %v", got, want)
	}
}

func TestGoflags(t *testing.T) {
	for _, test := range []struct{ have, exe, config, want string }{
		{"", "/bin/scavenger-wrap", "", "-toolexec=/bin/scavenger-wrap"},
		{"-mod=mod -toolexec=x", "/bin/scavenger-wrap", "", "-mod=mod -toolexec=/bin/scavenger-wrap"},
		{"", "/my tools/scavenger-wrap", "", `"-toolexec='/my tools/scavenger-wrap'"`},
		{"'-ldflags=-s -w'", "/w", "/a/b.toml", `'-ldflags=-s -w' '-toolexec=/w -config=/a/b.toml'`},
		{"", "/it's/w", "", "-toolexec=/it's/w"},
		{"", "/it's my/w", "", ""},
	} {
		got, err := goflags(test.have, test.exe, test.config)
		if test.want == "" {
			if err == nil {
				t.Errorf("%q: %s, want an error", test, got)
			}
			continue
		}
		if err != nil || got != test.want {
			t.Errorf("%q: %s, %v, want %s", test, got, err, test.want)
		}
	}
}

// A diff turns the file into the marked file.
func TestDiff(t *testing.T) {
	if _, err := exec.LookPath("patch"); err != nil {
		t.Skip("no patch command")
	}
	var before strings.Builder
	for i := range 60 {
		fmt.Fprintf(&before, "line %d\n", i)
	}
	for _, changed := range [][]int{{}, {0}, {59}, {3}, {10, 17, 18, 26, 40}, {0, 1, 58}} {
		for _, header := range []string{"", "header\n"} {
			for _, end := range []string{"", "no line end"} {
				a := before.String() + end
				lines := strings.SplitAfter(a, "\n")
				for _, i := range changed {
					lines[i] = "changed " + lines[i]
				}
				b := header + strings.Join(lines, "")
				if a == b {
					continue
				}
				dir := t.TempDir()
				if err := os.WriteFile(filepath.Join(dir, "x.go"), []byte(a), 0o666); err != nil {
					t.Fatal(err)
				}
				var d bytes.Buffer
				if err := writeDiff(&d, "x.go", []byte(a), []byte(b)); err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command("patch", "-p1", "-F0")
				cmd.Dir, cmd.Stdin = dir, &d
				text := d.String()
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s\n%s", err, out, text)
				}
				if got, err := os.ReadFile(filepath.Join(dir, "x.go")); err != nil || string(got) != b {
					t.Errorf("patched with\n%sit is\n%s", text, got)
				}
			}
		}
	}
}

// What init writes is a valid settings file: as it is, with all settings in comments, and
// also with every example as a setting.
func TestSettingsFile(t *testing.T) {
	load := func(text string) *config.Config {
		t.Helper()
		dir := t.TempDir()
		for name, text := range map[string]string{"go.mod": "module example.com/app\n", config.FileName: text} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		c, err := config.Load(config.Source{Dir: dir, Lookup: func(string) (string, bool) { return "", false }})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	text := string(settingsFile([]config.Module{{Path: "example.com/app"}}, nil))
	const golden = "testdata/scavenger.toml"
	if *update {
		if err := os.WriteFile(golden, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || string(want) != text {
		t.Errorf("init does not write %s (%v); see the difference after running the test with -update", golden, err)
	}
	for line := range strings.Lines(text) {
		if len([]rune(line)) > 81 && strings.HasPrefix(line, "# ") {
			t.Errorf("a long line: %s", line)
		}
	}
	if c := load(text); len(c.Settings) != 0 || len(c.Notes) != 0 {
		t.Errorf("settings %v", c.Settings)
	}
	var all strings.Builder
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "#"); ok && !strings.HasPrefix(rest, " ") {
			line = rest
		}
		all.WriteString(line)
	}
	c := load(all.String())
	for _, k := range config.Keys {
		has := slices.ContainsFunc(c.Settings, func(s config.Setting) bool { return s.Key.Name == k.Name })
		if has != (k.Ignored == "" && k.Refused == "") {
			t.Errorf("%s is there: %v", k.Name, has)
		}
	}
	again := load(string(settingsFile(nil, c.Settings)))
	if len(again.Settings) != len(c.Settings) {
		t.Fatalf("%d of %d settings are left", len(again.Settings), len(c.Settings))
	}
	for i, s := range again.Settings {
		if s.Value != c.Settings[i].Value || !slices.Equal(s.List, c.Settings[i].List) {
			t.Errorf("%s: %v, want %v", s.Key.Name, s, c.Settings[i])
		}
	}
}
