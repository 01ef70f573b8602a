package command

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/config"
)

// The calls in a report are those of functions with status called. A report that is not of
// one program, or is no report, has none.
func TestReadCalls(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.json")
	read := func(programs, functions string) (string, error) {
		t.Helper()
		text := `{"schemaVersion":1,"header":{"to":"2026-11-01T00:00:00Z"},"programs":[` + programs + `],"functions":[` + functions + `]}`
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		calls, err := ReadCalls(file)
		if err != nil {
			return "", err
		}
		words := []string{calls.Main, calls.To.Format(time.DateOnly)}
		for _, c := range calls.List {
			words = append(words, c.Package+"|"+c.Receiver+"|"+c.Name+"|"+c.At.Format(time.RFC3339))
		}
		return strings.Join(words, " "), nil
	}
	const a, b = `{"application":"a","main":"m/a"}`, `{"application":"b","main":"m/b"}`
	const functions = `{"package":"p","receiver":"*T","name":"F","status":"called","lastCalledAt":"2026-10-31T12:00:00Z"},` +
		`{"package":"p","name":"G","status":"never-called"},{"package":"p","name":"H","status":"unknown"}`
	want := "m/a 2026-11-01 p|*T|F|2026-10-31T12:00:00Z"
	for _, programs := range []string{a, a + "," + strings.Replace(a, `"a"`, `"other name"`, 1)} {
		if got, err := read(programs, functions); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", programs, got, err, want)
		}
	}
	if _, err := read(a+","+b, functions); err == nil || !strings.Contains(err.Error(), "of several programs, m/a, m/b") {
		t.Errorf("two programs: %v", err)
	}
	if _, err := read("", functions); err == nil || !strings.Contains(err.Error(), "nothing of any program") {
		t.Errorf("no program: %v", err)
	}
	if _, err := read(a, functions+","); err == nil || !strings.Contains(err.Error(), "no report, or cut off") {
		t.Errorf("damaged: %v", err)
	}
	for path, want := range map[string]string{filepath.Join(t.TempDir(), "none"): "no such file", t.TempDir(): "no data of a process"} {
		if _, err := ReadCalls(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// A package in which functions are presumed has an ID flag of its own, which changes with
// these functions alone. With a -gcflags of the user's, all packages have one that does.
func TestEvidenceIDFlags(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module m\n")
	write("scavenger.toml", "evidence = \"report.json\"\n")
	cmd := &commands{sources: os.DirFS(filepath.Join("..", ".."))}
	flags := func(gcflags []string, calls ...string) []string {
		t.Helper()
		text := `{"schemaVersion":1,"header":{"to":"2026-11-01T00:00:00Z"},"programs":[{"main":"m/a"}],"functions":[`
		for i, call := range calls {
			pkg, name, _ := strings.Cut(call, ".")
			text += strings.Repeat(",", min(i, 1)) + `{"package":"` + pkg + `","name":"` + name + `","status":"called","lastCalledAt":"2026-10-31T12:00:00Z"}`
		}
		write("report.json", text+"]}")
		cfg, err := config.Load(config.Source{Dir: dir, Lookup: func(string) (string, bool) { return "", false }})
		if err != nil {
			t.Fatal(err)
		}
		values, err := cmd.idFlags(cfg, "", gcflags)
		if err != nil {
			t.Fatal(err)
		}
		return values
	}
	none, one := flags(nil), flags(nil, "m/a.F", "m/b.F")
	other := flags(nil, "m/a.F", "m/b.G")
	if !slices.Equal(none, one[:len(none)]) || len(one) != len(none)+2 || !strings.HasPrefix(one[len(none)], "m/a=-scavenger=") {
		t.Errorf("with evidence %q, without %q", one, none)
	}
	if n := len(other) - 1; !slices.Equal(other[:n], one[:n]) || other[n] == one[n] || !strings.HasPrefix(other[n], "m/b=-scavenger=") {
		t.Errorf("with other evidence for m/b %q, before %q", other, one)
	}
	if given, before := flags([]string{"-l"}, "m/a.F", "m/b.G"), flags([]string{"-l"}, "m/a.F", "m/b.F"); len(given) != len(none)+1 || slices.Equal(given, before) {
		t.Errorf("with a -gcflags %q, before %q", given, before)
	}
}
