package early

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// Only starts of the plain kind are done here.
func TestParse(t *testing.T) {
	sdk := t.TempDir()
	real := filepath.Join(sdk, SDKTools, "compile")
	if err := errors.Join(os.Mkdir(filepath.Dir(real), 0o777), os.WriteFile(real, nil, 0o777)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args string
		want string // the tool, "" for main.main
	}{
		{"scavenger-wrap /go/tool/asm -V=full", "asm"},
		{"/bin/scavenger-wrap /go/tool/compile -p x", "compile"},
		{"/bin/go /go/tool/cgo", "cgo"},
		{"scavenger-wrap -config=a.toml -modfile=x -overlay=y /go/tool/vet", "vet"},
		{"/cache/compile -frontend=. -modfile=x /go/tool/cover", "cover"},

		{"scavenger-wrap", ""},
		{"scavenger-wrap report data", ""},
		{"scavenger-wrap asm", ""},
		{"scavenger-wrap ./asm", ""},
		{" /go/tool/asm", ""},
		{"./scavenger-wrap /go/tool/asm", ""},
		{"bin/scavenger-wrap /go/tool/asm", ""},
		{"/sdk/compile /go/tool/asm", ""},
		{"/sdk/link /go/tool/asm", ""},
		{"/sdk/compile -V=full", ""},
		{"compile -frontend=. /go/tool/asm", ""},
		{"./compile -frontend=. /go/tool/compile -V=full", ""},
		{sdk + "/compile -frontend=. /go/tool/asm", ""},
		{"scavenger-wrap @file", ""},
		{"scavenger-wrap /go/tool/asm @file", ""},
		{"scavenger-wrap /go/tool/link -o x", ""},
		{"scavenger-wrap /go/tool/vet -### -x go", ""},
		{"scavenger-wrap /go/tool/asm.exe", ""},
		{"scavenger-wrap /usr/bin/tinygo", ""},
		{"scavenger-wrap /usr/bin/gcc -### -x go", ""},
		{"scavenger-wrap -config=", ""},
		{"scavenger-wrap -config= /go/tool/asm", ""},
		{"scavenger-wrap -config a.toml /go/tool/asm", ""},
		{"scavenger-wrap --config=a.toml /go/tool/asm", ""},
		{"scavenger-wrap -config=a.toml", ""},
		{"scavenger-wrap -next=other /go/tool/asm", ""},
		{"scavenger-wrap -sdk=/x /go/tool/asm", ""},
		{"scavenger-wrap /go/tool/asm " + strings.Repeat("x", longest), ""},
	} {
		s, ok := parse(strings.Split(test.args, " "))
		if ok != (test.want != "") || ok && s.tool != test.want {
			t.Errorf("%.80s: %q, %v, want %q", test.args, s.tool, ok, test.want)
		}
	}
	if longest > toolchain.MaxCommandLine {
		t.Errorf("arguments of %d bytes may be passed on, and a command line has %d", longest, toolchain.MaxCommandLine)
	}
}

func TestDo(t *testing.T) {
	work := filepath.Join(t.TempDir(), "go-build1")
	out := filepath.Join(work, "b001", "_pkg_.a")
	object := filepath.Join(work, "b001", "x.o")
	without := "-std -p x -buildid a/b -importcfg cfg -o " + out
	table, _ := tableOf(out)
	for _, dir := range []string{table.Dir, filepath.Dir(kept(object))} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	ofX := map[string]string{"TOOLEXEC_IMPORTPATH": "x"}
	for _, test := range []struct {
		args  string
		env   map[string]string
		first func() error
		want  outcome
	}{
		{args: "/cgo -objdir x", want: becomeTool},
		{args: "/asm -V=full", want: becomeTool},
		{args: "/asm -o " + object + " x.s", want: becomeTool}, // nothing is kept
		{args: "/asm -gensymabis -o " + object + " x.s", first: keep(object), want: becomeTool},
		{args: "/asm --gensymabis=true -o " + object + " x.s", want: becomeTool},
		{args: "/asm -o " + object + " x.s", want: finished},
		{args: "/asm -o " + object + " x.s", want: becomeTool}, // it has been taken
		{args: "/asm --o=" + object + " x.s", first: keep(object), want: finished},
		{args: "/asm -o a.o -o " + object + " x.s", first: keep(object), want: finished},

		{args: "/compile -V=full", want: leave},
		{args: "-frontend=. /compile -V=full", want: becomeTool},
		{args: "-frontend=. /compile -p x -o y x.go", want: leave},
		{args: "-frontend=. /compile " + without, want: becomeTool},
		{args: "-frontend=. /compile -scavenger=1 " + without, want: leave},
		{args: "-frontend=. /compile --scavenger=1 " + without, want: leave},
		{args: "/compile -std=true " + strings.TrimPrefix(without, "-std "), want: leave},
		{args: "/compile -p x -o y x.go", want: leave},
		{args: "/compile " + without, want: becomeTool}, // not by the go command
		{args: "/compile " + without, env: map[string]string{"TOOLEXEC_IMPORTPATH": "x [x.test]"}, want: becomeTool},
		{args: "/compile " + without, env: map[string]string{"TOOLEXEC_IMPORTPATH": "x", plainCacheVariable: "off"}, want: becomeTool},
		{args: "/compile -pgoprofile=p " + without, env: ofX, want: becomeTool},
		{args: "/compile " + without, env: ofX, want: leave}, // to make the table
		{args: "/compile " + without, env: ofX, first: func() error { return table.SetDone("") }, want: becomeTool},
		{
			args: "/compile -embedcfg e " + without, env: ofX,
			first: func() error { return table.Write([]*Package{{ImportPath: "x"}}) }, want: leave,
		},
	} {
		if test.first != nil {
			if err := test.first(); err != nil {
				t.Fatal(err)
			}
		}
		s, ok := parse(append([]string{"scavenger-wrap"}, strings.Fields(test.args)...))
		if !ok {
			t.Errorf("%s: not parsed", test.args)
			continue
		}
		if got := s.do(func(name string) string { return test.env[name] }); got != test.want {
			t.Errorf("%s: %d, want %d", test.args, got, test.want)
		}
	}
}

// A compile action is finished with the plain archive, and the asm action of its package
// with the object from there.
func TestDoFinished(t *testing.T) {
	const id, plainID = "marked/content", "action/content"
	dir := t.TempDir()
	action := filepath.Join(dir, "go-build1", "b001")
	file, plain, want := filepath.Join(dir, "a.go"), filepath.Join(dir, "plain.a"), filepath.Join(dir, "want.a")
	out, object, importcfg := filepath.Join(action, "_pkg_.a"), filepath.Join(action, "x.o"), filepath.Join(action, "importcfg")
	table, _ := tableOf(out)
	for _, err := range []error{
		os.MkdirAll(table.Dir, 0o777), os.Mkdir(action, 0o777), os.WriteFile(importcfg, nil, 0o666),
		os.WriteFile(file, []byte("package a\n\nfunc F() int { return 1 }\n"), 0o666),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	compileWithID(t, file, plain, plainID)
	compileWithID(t, file, want, id)
	p := &Package{ImportPath: "example.com/a", Archive: plain, BuildID: plainID, Files: []string{file}, AsmFiles: []string{"x.s"},
		Since: time.Now().Add(time.Hour), TakeAsm: true}
	if err := errors.Join(toolchain.AppendMember(plain, "x.o", []byte("object")), table.Write([]*Package{p}), table.SetDone("")); err != nil {
		t.Fatal(err)
	}
	do := func(tool string, want outcome, args ...string) {
		t.Helper()
		s, ok := parse(append([]string{"scavenger-wrap", "/tool/" + tool}, args...))
		if !ok {
			t.Fatalf("%s %q: not parsed", tool, args)
		}
		if got := s.do(func(name string) string { return map[string]string{"TOOLEXEC_IMPORTPATH": p.ImportPath}[name] }); got != want {
			t.Errorf("%s %q: %d, want %d", tool, args, got, want)
		}
	}
	compile := []string{"-o", out, "-p", p.ImportPath, "-std", "-buildid", id, "-importcfg", importcfg, "-asmhdr", "go_asm.h", "-pack", file}
	do("compile", becomeTool, slices.Replace(slices.Clone(compile), len(compile)-1, len(compile), importcfg)...)
	if _, err := os.Stat(out); err == nil {
		t.Error("an archive of other files is taken")
	}
	do("compile", finished, compile...)
	do("asm", becomeTool, "-gensymabis", "-o", filepath.Join(action, "symabis"), "x.s")
	do("asm", finished, "-o", object, "x.s")
	compiled, err := os.ReadFile(want)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{out: string(compiled), object: "object"} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s is not what the tool writes: %v", name, err)
		}
	}
}

// Objects for asm are kept if all of them are: the package is compiled otherwise, and asm
// must not find what a full disk has left of one.
func TestKeepAssembledPart(t *testing.T) {
	dir := t.TempDir()
	file, plain := filepath.Join(dir, "a.go"), filepath.Join(dir, "plain.a")
	if err := os.WriteFile(file, []byte("package a\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	compileWithID(t, file, plain, "action/content")
	if err := toolchain.AppendMember(plain, "x.o", []byte("object")); err != nil {
		t.Fatal(err)
	}
	if err := toolchain.AppendMember(plain, "other.o", []byte("object")); err != nil {
		t.Fatal(err)
	}
	for asmFiles, want := range map[string]bool{"x.s y.s": false, "x.s other.s": true} {
		action := t.TempDir()
		c := &Compile{values: map[string]string{"-o": filepath.Join(action, "_pkg_.a"), "-buildid": "marked/content", "-asmhdr": "go_asm.h"}}
		err := c.take(&Package{Archive: plain, BuildID: "action/content", AsmFiles: strings.Fields(asmFiles)})
		if taken := TakeAssembled([]string{"-o", filepath.Join(action, "x.o"), "x.s"}); taken != want || (err == nil) != want {
			t.Errorf("%s: asm takes an object: %t, want %t (%v)", asmFiles, taken, want, err)
		}
	}
}

// keep returns a function that keeps an object for asm.
func keep(object string) func() error {
	return func() error { return os.WriteFile(kept(object), []byte("object"), 0o666) }
}

// What is written to a table is what is read, whatever is in it.
func TestTable(t *testing.T) {
	want := &Package{
		ImportPath: "example.com/a b\n", Archive: "/tmp/\"x\"\n", BuildID: "a/b", Files: []string{"a.go", "b\xff.go"}, AsmFiles: []string{"a.s"},
		Sources: []string{"/x/a.s", ""}, Since: time.Unix(1, 2), TakeAsm: true, Modes: []string{"-race"}, Words: []string{"-N"},
	}
	table := Table{t.TempDir()}
	if err := table.Write([]*Package{want, {ImportPath: "y", BuildID: "c/d"}}); err != nil {
		t.Fatal(err)
	}
	got, err := table.find(want.ImportPath)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	if ids, err := table.contentIDs(); err != nil || ids["y"] != "d" {
		t.Errorf("content IDs %q, %v", ids, err)
	}
	if _, err := table.find("z"); !errors.Is(err, errNotInTable) {
		t.Errorf("z: %v", err)
	}
	text := want.text()
	for n := range len(text) - 1 { // all but the last line end
		if p, err := parsePackage(text[:n]); err == nil {
			t.Errorf("cut off at %d of %d: %+v", n, len(text), p)
		}
	}
	if _, err := parsePackage(append(text, "more \"\"\n"...)); err == nil {
		t.Error("an unknown line is accepted")
	}
	if err := os.Rename(table.ofPackage(want.ImportPath), table.ofPackage("z")); err != nil {
		t.Fatal(err)
	}
	if _, err := table.find("z"); !errors.Is(err, errNotInTable) {
		t.Errorf("the file of another package: %v", err)
	}
}
