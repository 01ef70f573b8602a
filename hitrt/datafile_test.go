package hitrt

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

func TestDataFile(t *testing.T) {
	dir := filepath.Join(newDataDir(t), "a", "b") // created with its parents
	prog := newProgram(700)
	pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir, "SCAVENGER_ENVIRONMENT=<test>", "SCAVENGER_APP_VERSION=1.2")
	began := time.Now().UnixMilli()
	prog.call(0)
	prog.call(12)
	go pub.run()
	waitFor(t, func() bool { _, _, err := readData(dir); return err == nil })
	prog.call(699)
	pub.exit()
	<-pub.done

	header, functions, err := readData(dir)
	if err != nil {
		t.Fatal(err)
	}
	if header.Main != "example.com/shop" || header.AppName != "shop" || header.AppVersion != "1.2" || header.Environment != "<test>" || header.UID != os.Geteuid() {
		t.Errorf("header %+v", header)
	}
	p := processIn(t, hitsIn(dir)[0], pub.process)
	if p.PID != os.Getpid() || p.StartedAt != pub.started.UnixMilli() || p.SeenAt < began || p.State != datafile.Ended || p.Kept != datafile.OnceASecond || p.Why == "" {
		t.Errorf("record %+v", p)
	}
	if len(functions) != 700+70 {
		t.Fatalf("%d functions, want 770", len(functions))
	}
	called := map[string]bool{prog.hashOf(0): true, prog.hashOf(12): true, prog.hashOf(699): true}
	for _, f := range functions {
		if hit := f.stamp != 0; hit != called[f.Hash] || hit && (f.stamp < began || f.stamp > time.Now().UnixMilli()) {
			t.Errorf("%s: stamp %d, called: %v", f.Signature, f.stamp, called[f.Hash])
		}
	}
	// The last function before the first that is not observable, that one, and
	// the first of the next file.
	sig := "example.com.shop.p000000."
	want := []dataFunction{
		{"example.com/shop/p000000", "", "Func9", sig + "func.Func9(context·Context,map[string]int)", prog.hashOf(9), "p0/file0.go", "", 28, 0, "", 0},
		{"example.com/shop/p000000", "", "asm9", sig + "func.asm9(int)", hexOf(signatureHash("example.com/shop/p000000", "", "asm9")), "p0/file0.go", "nosplit", 29, 0, "", 0},
		{"example.com/shop/p000000", "*Server", "Func10", sig + "Server.Func10(context·Context,map[string]int)", prog.hashOf(10), "p0/file0.go", "", 31, 0, "", 0},
	}
	for i, w := range want {
		if functions[9+i] != w {
			t.Errorf("function %d is %+v, want %+v", 9+i, functions[9+i], w)
		}
	}
	if f := functions[16]; f.File != "p0/file15.go" {
		t.Errorf("function %+v, want it in file15.go", f)
	}
	if messages.String() != "" {
		t.Errorf("messages %q, want none", messages)
	}
	checkNames(t, dir, 3)
}

// checkNames checks that dir has n files and no temporary ones.
func checkNames(t *testing.T, dir string, n int) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != n {
		t.Errorf("files %v, %v, want %d", files, err, n)
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".tmp") {
			t.Errorf("temporary file %s was left", f.Name())
		}
	}
}

// A hit is in the file soon after, without any exit.
func TestDataFileCheckpoint(t *testing.T) {
	dir := newDataDir(t)
	prog := newProgram(2000)
	pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	go pub.run()
	stampOf := func(hash string) int64 {
		_, functions, _ := readData(dir)
		for _, f := range functions {
			if f.Hash == hash {
				return f.stamp
			}
		}
		return 0
	}
	for _, i := range []int{5, 600, 601, 1999} {
		prog.call(i)
		waitFor(t, func() bool { return stampOf(prog.hashOf(i)) > 0 })
	}
	pub.exit()
}

// The processes of one program share both files, one after the other; a codebase file
// that was cut off is written anew.
func TestDataFileShared(t *testing.T) {
	dir := newDataDir(t)
	run := func() string {
		pub, _ := newTestPublisher(newProgram(50), nil, "SCAVENGER_DATA_DIR="+dir)
		go pub.run()
		pub.exit()
		<-pub.done
		return pub.codebasePath()
	}
	path := run()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, _ := os.Stat(path)
	if run() != path {
		t.Errorf("the fingerprint changed")
	}
	if again, _ := os.Stat(path); !os.SameFile(info, again) {
		t.Errorf("the codebase file was written again")
	}
	for _, damaged := range [][]byte{whole[:len(whole)-20], {}, make([]byte, len(whole))} {
		if err := os.WriteFile(path, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		run()
		if got, _ := os.ReadFile(path); !bytes.Equal(got, whole) {
			t.Errorf("a damaged codebase file of %d bytes was not replaced", len(damaged))
		}
	}
	checkNames(t, dir, 3)
}

// Stamps go by place: programs with other functions, another order of them or
// other lines have other codebase files.
func TestDataFingerprint(t *testing.T) {
	first := &Package{Path: "p", Marks: make([]uint8, 8), Entries: "0\ta.go\t1\t\tF\t\n1\t\t2\t\tG\t\n"}
	seen := map[string]string{}
	for name, entries := range map[string]string{
		"same":    first.Entries,
		"swapped": "0\ta.go\t2\t\tG\t\n1\t\t1\t\tF\t\n",
		"line":    "0\ta.go\t1\t\tF\t\n1\t\t3\t\tG\t\n",
		"longer":  "0\ta.go\t1\t\tF\t\n1\t\t2+1\t\tG\t\n",
		"reason":  "0\ta.go\t1\t\tF\t\n-nosplit\t\t2\t\tG\t\n",
		"fewer":   "0\ta.go\t1\t\tF\t\n",
	} {
		got := dataFingerprint(&Program{Packages: []Package{{Path: "p", Marks: first.Marks, Entries: entries}}}, "<default>")
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s have the same fingerprint", name, other)
		}
		seen[got] = name
	}
	if _, ok := seen[dataFingerprint(&Program{Packages: []Package{*first}}, "other")]; ok {
		t.Errorf("two environments have the same fingerprint")
	}
	if _, ok := seen[dataFingerprint(&Program{Packages: []Package{*first}, Unlisted: "fmt"}, "<default>")]; ok {
		t.Errorf("two programs with the same fingerprint call other functions that they do not list")
	}
}

// A directory that cannot be written to is said once; when it can, all hits
// since the start are written.
func TestDataFileUnwritable(t *testing.T) {
	parent := newDataDir(t)
	dir := filepath.Join(parent, "data")
	if err := os.WriteFile(dir, nil, 0o644); err != nil { // a file in its place
		t.Fatal(err)
	}
	prog := newProgram(10)
	pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	prog.call(3)
	go pub.run()
	waitFor(t, func() bool { return messages.String() != "" })
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	pub.exit()
	<-pub.done
	if _, functions, err := readData(dir); err != nil || functions[3].stamp == 0 {
		t.Errorf("functions %+v, %v, want function 3 to be called", functions, err)
	}
	if got := strings.Count(messages.String(), "\n"); got != 1 || !strings.Contains(messages.String(), "dataDir") {
		t.Errorf("messages %q, want one about dataDir", messages)
	}
}

// A dataDir that cannot be made is one fault, and one line says so. Once somebody makes it,
// everything is written.
func TestDataFileCannotBeMade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "link", "data") // in a directory that is not there
	link, target := filepath.Dir(dir), filepath.Join(t.TempDir(), "target")
	if err := os.Symlink(target, link); err != nil {
		t.Skip(err) // Windows lets not everybody make links
	}
	prog := newProgram(90)
	prog.call(1)
	pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	pub.begin()
	pub.checkpoint()
	if got := messages.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "creating dataDir: ") {
		t.Errorf("messages %q, want one about the directory", got)
	}
	if err := os.Mkdir(target, 0o700); err != nil {
		t.Fatal(err)
	}
	pub.data.retryAt, pub.data.marksAt = time.Time{}, time.Time{}
	pub.checkpoint()
	if called := known(t, dir); !called[1] || !exists(pub.codebasePath()) {
		t.Errorf("known to be called: %v; codebase file there: %v", called, exists(pub.codebasePath()))
	}
	pub.die()
}

// A hits file is valid whatever the length of its header.
func TestDataFileHeaderSizes(t *testing.T) {
	for _, length := range []int{0, 3600, 3700, 3800, 3790, 4096, 8000} {
		prog := newProgram(5)
		prog.call(2)
		pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+newDataDir(t))
		pub.prepare()
		pub.data.store.Identity.AppName = strings.Repeat("n", length) // beyond the clamp
		pub.data.open()
		close(pub.ready)
		pub.checkpoint()
		if _, functions, err := readData(pub.set.dataDir); err != nil || functions[2].stamp == 0 {
			t.Errorf("name of %d bytes: %v", length, err)
		}
	}
}
