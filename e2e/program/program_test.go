package program

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The oracle itself, on functions of every form.
func TestCovered(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":       "module example.com/app\n\ngo 1.24\n",
		"main.go":      "package main\n\nimport \"example.com/app/lib\"\n\nfunc init() {}\n\nfunc main() { lib.Empty(); new(lib.T[int]).M(); lib.Parse() }\n\nfunc never() {}\n",
		"lib/lib.go":   "package lib\n\nfunc Empty() {}\nfunc empty() {}\n\ntype T[P any] struct{}\n\nfunc (*T[P]) M() { _ = 1 }\nfunc (T[_]) N() { _ = 1 }\nfunc _() {}\n",
		"lib/parse.go": "package lib\n\n//line parse.y:7\nfunc Parse() {\n//line parse.y:7\n\t_ = 1\n\tif false {\n//line parse.y:7\n\t\t_ = 2\n\t}\n}\n",
		"lib/other.go": "//go:build other\n\npackage lib\n\nfunc Other() {}\n",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	ctx, p := context.Background(), &Program{Path: "example.com/app", Dir: dir}
	data := t.TempDir()
	binary := filepath.Join(t.TempDir(), "app"+ExeSuffix())
	if err := p.Build(ctx, "-cover", "-covermode=set", "-coverpkg=./...", "-o", binary, "."); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), "GOCOVERDIR="+data)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, err := p.Covered(ctx, data)
	if err != nil {
		t.Fatal(err)
	}
	want := map[Function]bool{
		{"example.com/app", "", "init@main.go:5"}: true,
		{"example.com/app", "", "main"}:           true,
		{"example.com/app", "", "never"}:          false,
		{"example.com/app/lib", "", "Empty"}:      true,
		{"example.com/app/lib", "", "empty"}:      false,
		{"example.com/app/lib", "T", "M"}:         true,
		{"example.com/app/lib", "T", "N"}:         false,
		{"example.com/app/lib", "", "Parse"}:      true,
	}
	for f, ran := range want {
		if g, ok := got[f]; !ok || g != ran {
			t.Errorf("%v: executed %v (found %v), want %v", f, g, ok, ran)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d functions, want %d: %v", len(got), len(want), got)
	}
}
