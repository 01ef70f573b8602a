package output

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// readCSV writes the report as CSV and reads it again, by the names of columns.
func readCSV(t *testing.T, r *report.Report) (names []string, records []map[string]string) {
	t.Helper()
	var out bytes.Buffer
	if err := CSV(&out, r); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Count(text, "\n") != strings.Count(text, "\r\n") || !strings.HasSuffix(text, "\r\n") {
		t.Errorf("a line does not end in CR LF: %q", text)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		record := map[string]string{}
		for i, value := range row {
			record[rows[0][i]] = value
		}
		records = append(records, record)
	}
	return rows[0], records
}

// Each function has the fields that JSON has, in the order of JSON.
func TestCSV(t *testing.T) {
	for _, name := range []string{"shop", "damaged", "nothing"} {
		r := load(t, name)
		var text bytes.Buffer
		if err := JSON(&text, r); err != nil {
			t.Fatal(err)
		}
		var want struct{ Functions []map[string]any }
		dec := json.NewDecoder(&text)
		dec.UseNumber()
		if err := dec.Decode(&want); err != nil {
			t.Fatal(err)
		}
		names, records := readCSV(t, r)
		if len(records) != len(want.Functions) {
			t.Fatalf("%s: %d functions, want %d", name, len(records), len(want.Functions))
		}
		for i, f := range want.Functions {
			for _, column := range names {
				value := ""
				switch field := f[column].(type) {
				case nil:
				case []any:
					value = strings.Trim(strings.ReplaceAll(fmt.Sprint(field...), " ", ", "), "[]")
				default:
					value = fmt.Sprint(field)
				}
				if records[i][column] != value {
					t.Errorf("%s: %s of %v is %q, want %q", name, column, f["name"], records[i][column], value)
				}
				delete(f, column)
			}
			if len(f) > 0 {
				t.Errorf("%s: no column for %v", name, f)
			}
		}
		if want := []string{"package", "receiver", "name", "signature", "file", "line"}; !slices.Equal(names[:6], want) {
			t.Errorf("the first columns are %v, want %v", names[:6], want)
		}
	}
}

// hostileNames are names that mean something in a format, or to a program that shows it.
var hostileNames = []string{
	`<script>alert(1)</script>`, `</script><img src=x onerror=alert(1)>`, "a|b\\|c\\", "`a``b`", "![x](https://example.com)", "[link](javascript:alert(1))",
	"=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "a\r\nb", "a\nb", `"quoted", and more;`, "a\x1b[31m\u202eb", "\xff", "größe", "%41%2e%2e/..", "a b#c?d", "$x$", "*_~", "&lt;",
	"C:\\x", "-toolexec=x", "...", "", "'", "--\n-\n", "~~~", "#1", "www.example.com", "https://example.com/?a=b",
}

// hostileReport has functions that were never called and whose names are hostile.
func hostileReport() *report.Report {
	r := &report.Report{Observed: report.Observed{Processes: 1, Hosts: 1, Environments: hostileNames, Applications: hostileNames}}
	for i, name := range hostileNames {
		r.Functions = append(r.Functions, report.Function{
			Package: name, Receiver: name, Name: name, Signature: name, File: name, Line: i + 1, Lines: 2, Module: name, Status: report.NeverCalled, CalledIn: []string{name},
		})
		r.Programs = append(r.Programs, report.Program{App: name, Main: name, File: name, Module: name, Environments: []string{name}})
		r.Problems = append(r.Problems, report.Problem{File: filepath.Join("data", name), Kind: report.Damaged, Err: errors.New(name)})
	}
	return r
}

// No field begins a formula, and every name can be read again.
func TestCSVHostile(t *testing.T) {
	r := hostileReport()
	var out bytes.Buffer
	if err := CSV(&out, r); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows[1:] {
		for k, value := range row {
			if value != "" && strings.ContainsRune("=+-@\t\r\n", rune(value[0])) {
				t.Errorf("%s is %q", rows[0][k], value)
			}
		}
		// encoding/csv reads each line end as one.
		want := strings.ReplaceAll(hostileNames[i], "\r\n", "\n")
		if got := row[0]; got != want && got != "'"+want {
			t.Errorf("package %q, want %q", got, want)
		}
	}
}

// A report that could not be written in full is an error, wherever it stops.
func TestFormatsWriteError(t *testing.T) {
	r := load(t, "shop")
	for name, write := range map[string]func(w *shortWriter) error{
		"csv":          func(w *shortWriter) error { return CSV(w, r) },
		"markdown":     func(w *shortWriter) error { return Markdown(w, r) },
		"sarif":        func(w *shortWriter) error { _, err := SARIF(w, r, "v1"); return err },
		"coverprofile": func(w *shortWriter) error { _, err := CoverProfile(w, r); return err },
	} {
		for n := 0; ; n += 53 {
			w := &shortWriter{n}
			if err := write(w); err == nil {
				if n == 0 || w.n >= 53 {
					t.Errorf("%s: %d bytes were enough, and %d are left", name, n, w.n)
				}
				break
			} else if !errors.Is(err, errFull) {
				t.Fatalf("%s: %d bytes: %v, want %v", name, n, err, errFull)
			}
		}
	}
}
