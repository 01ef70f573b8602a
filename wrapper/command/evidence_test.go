package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
