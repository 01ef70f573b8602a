package report

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// openRead reads what arguments name.
func openRead(t testing.TB, stdin io.Reader, filter Filter, args ...string) (*Report, error) {
	t.Helper()
	in, err := Open(args, stdin)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if in.temp != "" {
			if _, err := os.Stat(in.temp); err == nil {
				t.Errorf("%s is left", in.temp)
			}
		}
	})
	return in.Read(filter)
}

// mustOpen reads what arguments name, which must be whole.
func mustOpen(t testing.TB, args ...string) *Report {
	t.Helper()
	r, err := openRead(t, nil, Filter{}, args...)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Problems {
		t.Errorf("unexpected problem: %v", p)
	}
	return r
}

// copyDir copies a directory as cp -r does.
func copyDir(t testing.TB, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// writeHosts writes what one program leaves on three hosts, and another on one of them.
func writeHosts(t *testing.T, root string) {
	functions := []testFunc{fn("store.Open", "a.go", 1), fn("store.Shut", "a.go", 2), fn("store.Dead", "a.go", 3)}
	for i, called := range []string{"Open", "Shut", "Open"} {
		dir := filepath.Join(root, fmt.Sprint("h", i), "deep", "data")
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		leave(t, dir, "a", functions, testProcess{id: fmt.Sprint(i), app: "shop", host: fmt.Sprint("h", i), started: at(1 + i), calls: calls{called: at(2 + i)}})
		if i == 2 {
			leave(t, dir, "b", functions[:2], testProcess{id: "w", app: "work", host: "h2", started: at(9), calls: calls{"Open": at(10)}})
		}
	}
}

// Directories below an argument count, in any order, and are as good as one directory.
func TestReadMany(t *testing.T) {
	root, once := t.TempDir(), t.TempDir()
	writeHosts(t, root)
	for _, sub := range []string{"h0", "h1", "h2"} {
		copyDir(t, filepath.Join(root, sub, "deep", "data"), filepath.Join(once, sub))
	}
	one := filepath.Join(t.TempDir(), "one")
	if _, err := Merge(one, []string{filepath.Join(once, "h0"), filepath.Join(once, "h1"), filepath.Join(once, "h2")}); err != nil {
		t.Fatal(err)
	}
	want := mustRead(t, one)
	if want.Processes.Total != 4 || want.Observed.Hosts != 3 || want.Observed.Builds != 2 {
		t.Fatalf("%+v, want four processes on three hosts", want.Observed)
	}
	sub := func(name string) string { return filepath.Join(root, name) }
	for name, args := range map[string][]string{
		"a root":              {root},
		"each":                {sub("h0"), sub("h1"), sub("h2")},
		"another order":       {sub("h2"), sub("h0"), sub("h1")},
		"twice":               {root, root, filepath.Join(root, "h1", "..", "h2")},
		"a copy":              {root, once},
		"the copy first":      {once, root},
		"directories in one":  {once},
		"with what is merged": {root, one},
	} {
		if got := mustOpen(t, args...); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v\nwant\n%+v", name, got, want)
		}
	}
}

// A copy that was made while processes ran knows less, and counts for nothing, also of
// what made room for others since.
func TestReadOldCopy(t *testing.T) {
	dir, old := t.TempDir(), filepath.Join(t.TempDir(), "old")
	functions := []testFunc{fn("store.Open", "a.go", 1), fn("store.Shut", "a.go", 2)}
	add := func(i int) {
		p := testProcess{id: fmt.Sprint(i), app: "shop", host: "h", started: at(1 + i), calls: calls{"Open": at(2 + i)}}
		record(t, store(dir, "a", functions, p), functions, p)
	}
	put(t, dir, "codebase-a.json", codebaseBytes(t, "a", functions))
	for i := range 5 {
		add(i)
	}
	copyDir(t, dir, old)
	for i := range 20 {
		add(5 + i)
	}
	want := mustRead(t, dir)
	if want.Processes.Total != 25 {
		t.Fatalf("%d processes, want 25", want.Processes.Total)
	}
	hits := filepath.Base(store(dir, "a", functions, testProcess{app: "shop", host: "h"}).Path())
	backups := filepath.Join(t.TempDir(), "backups")
	copyDir(t, dir, backups)
	put(t, backups, hits+".bak", readFile(t, dir, hits))
	put(t, backups, hits+".1", readFile(t, old, hits))
	if got := mustRead(t, backups); !reflect.DeepEqual(got, want) {
		t.Errorf("with backups beside it: %+v\nwant\n%+v", got, want)
	}
	for _, args := range [][]string{{dir, old}, {old, dir}} {
		if got := mustOpen(t, args...); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v\nwant\n%+v", got, want)
		}
	}
}

// Problems name their directory; a codebase may be in another one.
func TestReadManyProblems(t *testing.T) {
	root := t.TempDir()
	writeHosts(t, root)
	data := filepath.Join(root, "h1", "deep", "data")
	put(t, data, "hits-0123456789abcdef.hits", []byte("SCAVHIT3"))
	if err := os.Remove(filepath.Join(data, "codebase-a.json")); err != nil {
		t.Fatal(err)
	}
	r, err := openRead(t, nil, Filter{}, root)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Problems) != 1 || r.Problems[0].File != filepath.Join(data, "hits-0123456789abcdef.hits") {
		t.Errorf("problems %v, want the damaged file alone", r.Problems)
	}
	if got := statuses(r)["store.Shut"]; got != Called {
		t.Errorf("Shut, which h1 called, is %s: its codebase is in h0", got)
	}
}

// An argument without data is a mistake, though others have some.
func TestOpenErrors(t *testing.T) {
	root, empty := t.TempDir(), t.TempDir()
	writeHosts(t, root)
	for _, test := range []struct {
		args   []string
		filter Filter
		want   string
	}{
		{[]string{root, empty}, Filter{}, fmt.Sprintf("no data of a process in %q", empty)},
		{[]string{filepath.Join(root, "none"), root}, Filter{}, "no directory"},
		{[]string{root, filepath.Join(root, "h0")}, Filter{Hosts: []string{"h7"}}, "of host h7: there is host h0, h1, h2"},
		{[]string{"-"}, Filter{}, "no data of a process in standard input: pipe an archive"},
	} {
		if _, err := openRead(t, strings.NewReader(""), test.filter, test.args...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want an error with %q", test.args, err, test.want)
		}
	}
	// What is found below an argument need not all be selected, or have processes.
	leave(t, empty, "z", []testFunc{fn("z.Z", "z.go", 1)})
	copyDir(t, empty, filepath.Join(root, "unused"))
	r, err := openRead(t, nil, Filter{Hosts: []string{"h1"}}, root)
	if err != nil || r.Processes.Total != 1 || r.Unseen != 1 {
		t.Errorf("%+v, %v, want one process and one build without", r, err)
	}
}

// archive returns a tar archive of a directory.
func archive(t testing.TB, dir string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// An archive is as good as what it was made of, also compressed.
func TestReadArchive(t *testing.T) {
	root := t.TempDir()
	writeHosts(t, root)
	put(t, filepath.Join(root, "h1", "deep", "data"), "process-1.hits", []byte("SCAVHIT1"))
	plain := archive(t, root)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	want, err := openRead(t, nil, Filter{}, root)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"plain": plain, "gzip": packed.Bytes()} {
		got, err := openRead(t, bytes.NewReader(content), Filter{}, "-")
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Problems) != 1 || filepath.ToSlash(got.Problems[0].File) != "-/h1/deep/data/process-1.hits" {
			t.Errorf("%s: problems %v, want the damaged file as it is in the archive", name, got.Problems)
		}
		got.Problems = want.Problems
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v\nwant\n%+v", name, got, want)
		}
		for _, n := range []int{1, 600, len(content) / 2} {
			if _, err := openRead(t, bytes.NewReader(content[:n]), Filter{}, "-"); err == nil {
				t.Errorf("%s: no error for the first %d bytes", name, n)
			}
		}
	}
	// Beside directories, and the same data in both.
	both, err := openRead(t, bytes.NewReader(plain), Filter{}, "-", root)
	if err != nil || !reflect.DeepEqual(both.Functions, want.Functions) || both.Processes != want.Processes {
		t.Errorf("archive and directory: %+v, %v", both, err)
	}
}

// Nothing in an archive leaves the temporary directory, and what it costs is bounded.
func TestHostileArchive(t *testing.T) {
	type file struct {
		name string
		kind byte
		link string
		size int64
	}
	make := func(files ...file) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, f := range files {
			if f.kind == 0 {
				f.kind = tar.TypeReg
			}
			if err := w.WriteHeader(&tar.Header{Name: f.name, Typeflag: f.kind, Linkname: f.link, Size: f.size, Mode: 0o777}); err != nil {
				t.Fatal(err)
			}
			if _, err := io.CopyN(w, zeros{}, f.size); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, test := range map[string]struct {
		files    []file
		want     string // error
		sources  []string
		problems int
	}{
		"parent":         {files: []file{{name: "../../hits-1.hits"}}, sources: []string{"-"}},
		"absolute":       {files: []file{{name: "/etc/hits-1.hits"}}, sources: []string{"-/etc"}},
		"backslash":      {files: []file{{name: `hits-..\..\1.hits`}}},
		"other files":    {files: []file{{name: "data/.bashrc"}, {name: "data/hits-1.hits.tmp"}, {name: "data/hits-1.hits"}}, sources: []string{"-/data"}},
		"link":           {files: []file{{name: "d", kind: tar.TypeSymlink, link: "/etc"}, {name: "d/hits-1.hits", kind: tar.TypeSymlink, link: "/etc/passwd"}}, problems: 1},
		"hard link":      {files: []file{{name: "d/codebase-1.json", kind: tar.TypeLink, link: "/etc/passwd"}}, problems: 1},
		"device":         {files: []file{{name: "d/hits-1.hits", kind: tar.TypeChar}}, problems: 1},
		"a link, a file": {files: []file{{name: "d/hits-1.hits", kind: tar.TypeSymlink, link: "/tmp/x"}, {name: "d/hits-1.hits"}}, sources: []string{"-/d"}, problems: 1},
		"twice":          {files: []file{{name: "d/hits-1.hits", size: 10}, {name: "./d/hits-1.hits", size: 5}}, sources: []string{"-/d"}},
		"large":          {files: []file{{name: "hits-1.hits", size: 5000}, {name: "hits-2.hits", size: 6000}}, want: "it is too large"},
		"large others":   {files: []file{{name: "movie", size: 200_000}}, want: "it is too large"},
		"many":           {files: []file{{name: "a/hits-1.hits"}, {name: "b/hits-1.hits"}, {name: "c/hits-1.hits"}, {name: "d/hits-1.hits"}}, want: "it is too large"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			u := &unpacking{dir: filepath.Join(dir, "sub", "unpacked"), limit: archiveLimit{read: 100_000, write: 10_000, files: 3}, dirs: map[string]string{}}
			if err := os.MkdirAll(u.dir, 0o777); err != nil {
				t.Fatal(err)
			}
			err := u.unpack(bytes.NewReader(make(test.files...)))
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%v, want an error with %q", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, s := range u.sources {
				names = append(names, s.name)
			}
			if !reflect.DeepEqual(names, test.sources) || len(u.problems) != test.problems {
				t.Errorf("sources %q and problems %v, want %q and %d", names, u.problems, test.sources, test.problems)
			}
			err = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
				if rel, _ := filepath.Rel(u.dir, path); err == nil && !e.IsDir() && (strings.HasPrefix(rel, "..") || !e.Type().IsRegular()) {
					t.Errorf("%s was written", path)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if name == "twice" {
				if info, err := os.Stat(filepath.Join(u.dir, "0", "hits-1.hits")); err != nil || info.Size() != 5 {
					t.Errorf("%v, %v, want the later file of 5 bytes", info, err)
				}
			}
		})
	}
}

// zeros is an endless reader.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// Of one process with two records the one counts that it wrote last.
func TestDropCopies(t *testing.T) {
	early := datafile.Process{UUID: "p", Writes: 1, SeenAt: 1}
	late := datafile.Process{UUID: "p", Writes: 2, SeenAt: 2}
	nobody := datafile.Process{}
	c := &codebase{}
	a := &data{files: []hitsFile{{path: "a/hits-1.hits", c: c, list: []datafile.Process{early, nobody}}}}
	b := &data{files: []hitsFile{{path: "b/hits-2.hits", c: c, list: []datafile.Process{late, nobody}}, {path: "b/hits-3.hits", c: c, list: []datafile.Process{late}}}}
	dropCopies([]*data{a, b})
	if got := fmt.Sprint(len(a.files[0].list), len(b.files[0].list), len(b.files[1].list)); got != "1 2 0" {
		t.Errorf("%s records are left, want 1 2 0", got)
	}
	// A file that was joined has its process in the shared file.
	shared := hitsFile{path: "a/hits-1.hits", c: c, sums: datafile.Totals{Processes: 9}}
	alone := hitsFile{path: "a/hits-1-p.hits", c: c, list: []datafile.Process{early}}
	a, b = &data{files: []hitsFile{shared}, joined: []hitsFile{alone}}, &data{files: []hitsFile{alone}}
	dropCopies([]*data{a, b})
	if len(a.files) != 1 || len(b.files[0].list) != 0 {
		t.Errorf("%d files, and %d records in the copy, want 1 and 0", len(a.files), len(b.files[0].list))
	}
}

// The marks file of a process that lives belongs to its hits file, also if that is in a copy.
func TestMarksBesideCopy(t *testing.T) {
	m := newMarked(t, "1", []string{"Open"}, "Shut")
	hold(t, m.path)
	other := filepath.Join(t.TempDir(), "copy")
	if err := os.Mkdir(other, 0o777); err != nil {
		t.Fatal(err)
	}
	hits := filepath.Base(m.store.Path())
	if err := os.Rename(m.store.Path(), filepath.Join(other, hits)); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{m.dir, other}, {other, m.dir}} {
		r := mustOpen(t, args...)
		if want := (Processes{Total: 1, Running: 1}); r.Processes != want {
			t.Errorf("processes %+v, want %+v", r.Processes, want)
		}
		if got := statuses(r); got["store.Open"] != Called || got["store.*DB.Shut"] != Called {
			t.Errorf("statuses %v, want Open and Shut called", got)
		}
	}
}

// Two directories may name the functions of one build differently, if one is forged. What was
// called counts in both.
func TestReadManyCodebases(t *testing.T) {
	dir, other := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	leave(t, dir, "a", []testFunc{fn("a.Open", "a.go", 1), fn("a.Dead", "a.go", 9)},
		testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Open": at(2)}})
	copyDir(t, dir, other)
	put(t, other, "codebase-a.json", codebaseBytes(t, "a", []testFunc{fn("b.Open", "b.go", 1), fn("b.Dead", "b.go", 9)}))
	for _, args := range [][]string{{dir, other}, {other, dir}} {
		got := statuses(mustOpen(t, args...))
		if want := map[string]Status{"a.Open": Called, "a.Dead": NeverCalled, "b.Open": Called, "b.Dead": NeverCalled}; !maps.Equal(got, want) {
			t.Errorf("statuses %v, want %v", got, want)
		}
	}
}
