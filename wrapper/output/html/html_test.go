// Tests of the page without a browser: e2e/browser has those with one.

package html

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

func TestPolicy(t *testing.T) {
	var out bytes.Buffer
	if err := Write(&out, &report.Report{}, Options{}); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
	if policy == nil {
		t.Fatal("the page has no policy")
	}
	for tag, directive := range map[string]string{"style": "style-src", "script": "script-src"} {
		text := regexp.MustCompile(`(?s)<`+tag+`>(.*?)</`+tag+`>`).FindAllStringSubmatch(page, -1)
		if len(text) != 1 {
			t.Fatalf("%d elements <%s>, want one", len(text), tag)
		}
		if want := directive + " '" + string(hash([]byte(text[0][1]))) + "'"; !strings.Contains(policy[1], want) {
			t.Errorf("policy %q, want %q in it", policy[1], want)
		}
	}
	if address := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9-]+\.[a-z]`).FindString(page); address != "" {
		t.Errorf("the page names %q", address)
	}
	if strings.Contains(page, "<!--") {
		t.Error("a comment of page.html was not replaced")
	}
}

func TestBlocks(t *testing.T) {
	for _, repeat := range []int{1, 1 << 17} {
		want := strings.Repeat("</script><!--\u2028\xff&", repeat)
		block, err := jsonBlock("x", []string{want})
		if err != nil {
			t.Fatal(err)
		}
		match := regexp.MustCompile(`(?s)^<script type="application/json" id="x"( data-encoding="gzip")?>([^<]*)</script>\n$`).FindSubmatch(block)
		if match == nil {
			t.Fatalf("block %.200q", block)
		}
		text := match[2]
		if (len(match[1]) > 0) != (repeat > 1) {
			t.Errorf("%d bytes, and compressed is %v", len(want), len(match[1]) > 0)
		}
		if len(match[1]) > 0 {
			z, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(text)))
			if err != nil {
				t.Fatal(err)
			}
			if text, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		if err := json.Unmarshal(text, &got); err != nil || got[0] != strings.ToValidUTF8(want, "\ufffd") {
			t.Errorf("%.100q, %v, want %.100q", got, err, want)
		}
	}
}

// The page knows by which evidence a function has no mark.
func TestPresumed(t *testing.T) {
	r := &report.Report{Functions: []report.Function{{Name: "a", Status: report.Called}, {Name: "b", Status: report.Called, Presumed: "report.json"}}}
	d, _ := collect(r, &Source{})
	if got := fmt.Sprintf("%q %v", d.Presumed, d.Functions.Presumed); got != `["" "report.json"] [0 1]` {
		t.Errorf("presumed are %s", got)
	}
}

func TestShortSignature(t *testing.T) {
	for _, f := range []struct{ pkg, receiver, name, signature, want string }{
		{"example.com/a-b/c", "*T", "F", "example.com.a-b.c.T.F(int)", "(int)"},
		{"example.com/a-b/c", "", "F", "example.com.a-b.c.func.F()", "()"},
		{"example.com/a", "*store", "Get", "example.com.a.store~type.Get(string)", "(string)"},
		{"example.com/a", "*store", "Get", "example.com.a.store.Get(string)", "example.com.a.store.Get(string)"},
		{"c", "T", "F", "c.T.Fold()", "c.T.Fold()"},
		{"c", "T", "F", "something else", "something else"},
		{"c", "T", "F", "", ""},
	} {
		got := shortSignature(&report.Function{Package: f.pkg, Receiver: f.receiver, Name: f.name, Signature: f.signature})
		if got != f.want {
			t.Errorf("%q is short for %q, want %q", got, f.signature, f.want)
		}
	}
}

// writeFiles writes files below a new directory.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// states reads the source of functions, each in a file of its own.
func states(t *testing.T, dir string, functions ...report.Function) ([]sourceState, map[int]string) {
	t.Helper()
	s, err := OpenSource(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sizes := make([]int, len(functions))
	for i := range sizes {
		sizes[i] = 1
	}
	return s.read(&report.Report{Functions: functions}, sizes)
}

func TestSource(t *testing.T) {
	const text = "package a\n\nfunc F() {\n\tgo func() {\n\t}()\n}\n\nfunc (s *Set[K]) Add(k K) {\n}\nfunc G[T any]() {}\n"
	dir := writeFiles(t, map[string]string{
		"m/go.mod": "module example.com/m\n", "m/a.go": text, "m/sub/b.go": text, "m/c.txt": text, "secret.go": text, "m/large.go": text + strings.Repeat("\n", maxFile),
	})
	f := func(file, module, receiver, name string, line, lines int) report.Function {
		return report.Function{File: file, Module: module, Receiver: receiver, Name: name, Line: line, Lines: lines, Status: report.NeverCalled}
	}
	const m = "example.com/m"
	if runtime.GOOS != "windows" {
		for link, target := range map[string]string{"link.go": "../secret.go", "abs.go": filepath.Join(dir, "secret.go")} {
			if err := os.Symlink(target, filepath.Join(dir, "m", link)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		f    report.Function
		want sourceState
	}{
		{f("a.go", m, "", "F", 3, 4), sourceShown},
		{f("a.go", m, "", "F", 3, 0), sourceShown}, // of old data
		{f("a.go", m, "", "F.func1", 4, 2), sourceShown},
		{f("a.go", m, "*Set[K]", "Add", 8, 2), sourceShown},
		{f("a.go", m, "", "G", 10, 1), sourceShown},
		{f("example.com/m/sub/b.go", "", "", "F", 3, 4), sourceShown},
		{f("a.go", m, "", "F", 2, 4), sourceDiffers},
		{f("a.go", m, "", "F", 3, 2), sourceDiffers}, // ends elsewhere
		{f("a.go", m, "", "Fold", 3, 4), sourceDiffers},
		{f("a.go", m, "*Map", "Add", 8, 2), sourceDiffers},
		{f("a.go", m, "", "F", 3, 90), sourceDiffers},
		{f("a.go", m, "", "F", 0, 1), sourceDiffers},
		{f("a.go", "example.com/other", "", "F", 3, 4), sourceNone},
		{f("example.org/x/a.go", "", "", "F", 3, 4), sourceNone},
		{f("gone.go", m, "", "F", 3, 4), sourceNone},
		{f("c.txt", m, "", "F", 3, 4), sourceNone},
		{f("../secret.go", m, "", "F", 3, 4), sourceNone},
		{f("example.com/m/../secret.go", "", "", "F", 3, 4), sourceNone},
		{f("link.go", m, "", "F", 3, 4), sourceNone},
		{f("abs.go", m, "", "F", 3, 4), sourceNone},
		{f("large.go", m, "", "F", 3, 4), sourceLimit},
	} {
		got, texts := states(t, filepath.Join(dir, "m", "sub"), test.f)
		if _, has := texts[0]; got[0] != test.want || has != (test.want == sourceShown) {
			t.Errorf("%s.%s at %s:%d of %q is %s, want %s", test.f.Receiver, test.f.Name, test.f.File, test.f.Line, test.f.Module, got[0], test.want)
		}
	}
	if _, err := OpenSource(t.TempDir()); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a directory in no module: %v, want ErrUnsupported", err)
	}
}

// In a workspace, files are named from its root.
func TestWorkspace(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"go.work": "go 1.24\nuse (\n\t./a\n\t./b\n)\n", "a/go.mod": "module example.com/a\n", "b/go.mod": "module example.com/b\n", "b/f.go": "package b\nfunc F() {}\n",
	})
	got, _ := states(t, dir, report.Function{File: "b/f.go", Module: "example.com/a", Name: "F", Line: 2, Lines: 1})
	if got[0] != sourceShown {
		t.Errorf("the file is %s, want shown", got[0])
	}
}

// If there is too much, what was never called is shown, the files with most of it first.
func TestSourceLimit(t *testing.T) {
	big := "package a\nfunc F() {\n" + strings.Repeat("//\n", maxFile/3-20) + "}\n"
	files, functions := map[string]string{"go.mod": "module m\n"}, []report.Function{}
	for i, name := range []string{"a.go", "b.go", "c.go", "d.go", "e.go"} {
		files[name] = big
		status := report.NeverCalled
		if i == 1 {
			status = report.Called
		}
		functions = append(functions, report.Function{File: name, Module: "m", Name: "F", Line: 2, Status: status})
	}
	got, texts := states(t, writeFiles(t, files), functions...)
	want := []sourceState{sourceShown, sourceLimit, sourceShown, sourceShown, sourceShown}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("file %d is %s, want %s", i, got[i], want[i])
		}
	}
	if len(texts) != 4 {
		t.Errorf("%d texts, want 4", len(texts))
	}
}
