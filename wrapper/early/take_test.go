package early

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain/lean"
)

// compileWithID compiles a file of a package to an archive with a build ID.
func compileWithID(t *testing.T, file, archive, buildID string) {
	t.Helper()
	cmd := exec.Command("go", "tool", "compile", "-pack", "-p=example.com/a", "-buildid="+buildID, "-o="+archive, file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("compile: %v\n%s", err, out)
	}
}

// A plain archive that is taken is what compile would have made of the package.
func TestTakePlain(t *testing.T) {
	dir := t.TempDir()
	file, plain := filepath.Join(dir, "a.go"), filepath.Join(dir, "plain.a")
	want, out := filepath.Join(dir, "want.a"), filepath.Join(dir, "out.a")
	odd := [2]bool{}
	for n := range 6 { // members of even and odd size
		text := fmt.Sprintf("package a\n\nconst F%s = %q\n\nfunc G() string { return F%[1]s }\n", strings.Repeat("x", n), "action/content")
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		compileWithID(t, file, plain, "action/content")
		compileWithID(t, file, want, "marked/content")
		// This stands for the objects of assembly, which compile does not write.
		if err := toolchain.AppendMember(plain, "more.o", []byte("object")); err != nil {
			t.Fatal(err)
		}
		c := &Compile{values: map[string]string{"-o": out, "-buildid": "marked/content"}}
		if err := c.take(&Package{Archive: plain, BuildID: "action/content"}); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		compiled, err := os.ReadFile(want)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, compiled) {
			t.Errorf("%d: what was taken is not what is compiled", n)
		}
		f, err := os.Open(want)
		if err != nil {
			t.Fatal(err)
		}
		members, err := lean.ReadMembers(f)
		if err != nil || len(members) != 2 {
			t.Fatalf("members %v, %v", members, err)
		}
		odd[members[0].Size%2], odd[members[1].Size%2] = true, true
		f.Close()
	}
	if odd != [2]bool{true, true} {
		t.Error("all members have sizes of one kind")
	}
}

func TestTakePlainDamaged(t *testing.T) {
	dir := t.TempDir()
	file, plain := filepath.Join(dir, "a.go"), filepath.Join(dir, "plain.a")
	if err := os.WriteFile(file, []byte("package a\n\nfunc F() {}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	compileWithID(t, file, plain, "action/content")
	whole, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	c := &Compile{values: map[string]string{"-o": filepath.Join(dir, "out.a"), "-buildid": "marked/content"}}
	for name, text := range map[string][]byte{
		"cut off":      whole[:len(whole)-7],
		"another ID":   bytes.ReplaceAll(whole, []byte("action/content"), []byte("xction/content")),
		"one ID":       bytes.Replace(whole, []byte("action/content"), []byte("xction/content"), 1),
		"other member": bytes.Replace(whole, []byte("_go_.o"), []byte("_xx_.o"), 1),
		"no archive":   whole[8:],
	} {
		if err := os.WriteFile(plain, text, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := c.take(&Package{Archive: plain, BuildID: "action/content"}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestParseCompileRefuses(t *testing.T) {
	const line = "-o $WORK/_pkg_.a -p example.com/lib -buildid a/a -importcfg $WORK/importcfg -pack lib.go"
	c, err := parseCompile(strings.Fields("-lang go1.24 -race --complete -c=4 -N " + line))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.modes, []string{"-race"}) || !slices.Equal(c.words, []string{"-N"}) || !slices.Equal(c.files, []string{"lib.go"}) || c.values["-lang"] != "go1.24" {
		t.Errorf("parsed as %+v", c)
	}
	for _, args := range []string{
		"-coveragecfg=x " + line, "-pgoprofile=x " + line, strings.Replace(line, "example.com/lib", "main", 1),
		strings.Replace(line, "-buildid a/a", "", 1), "-o",
	} {
		if _, err := parseCompile(strings.Fields(args)); err == nil {
			t.Errorf("%s: taken for a plain compile", args)
		}
	}
}
