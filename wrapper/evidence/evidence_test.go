package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/config"
)

const (
	mainPath = "example.com/app/cmd/app"
	month    = 30 * 24 * time.Hour
)

var end = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// called returns the call of a function, so long before the end of the evidence.
func called(name string, before time.Duration) Call {
	return Call{Package: "example.com/app/p", Name: name, At: end.Add(-before)}
}

func names(list []function) string {
	var all []string
	for _, f := range list {
		all = append(all, strings.TrimPrefix(f.Base+"."+f.Name, "."))
	}
	return strings.Join(all, " ")
}

// What was called too long ago, after the end, or has no name is not presumed. Of two calls
// the last one counts.
func TestPresumed(t *testing.T) {
	calls := &Calls{Main: mainPath, To: end, List: []Call{
		called("atEnd", 0), called("atLimit", month), called("old", month+time.Millisecond), called("later", -time.Second),
		{Package: "p", Receiver: "*T", Name: "Method", At: end.Add(-2 * time.Hour)},
		{Package: "p", Receiver: "T", Name: "Method", At: end.Add(-time.Hour)},
		{Package: "p", Name: "", At: end}, {Package: "", Name: "f", At: end}, {Package: "p q", Name: "f", At: end}, {Package: "p", Name: "f\ng", At: end},
		{Package: "p", Name: "never"},
	}}
	list := presumed(calls, month)
	if got, want := names(list), "atEnd atLimit T.Method"; got != want {
		t.Fatalf("presumed are %q, want %q", got, want)
	}
	if at := end.Add(-time.Hour).UnixMilli(); list[2].At != at {
		t.Errorf("last called at %d, want %d", list[2].At, at)
	}
}

// Within the longest age, each function has its mark back in exactly one period, and about
// as many in each period. In the next such time it is another one for most.
func TestTurns(t *testing.T) {
	const functions = 3000
	start := time.Unix(0, (end.UnixNano()/int64(month)+1)*int64(month))
	marked := func(cycle int) (turns []int, shares [periods]int) {
		turns = make([]int, functions)
		for n := range periods {
			calls := &Calls{To: start.Add(time.Duration(cycle)*month + time.Duration(n)*month/periods)}
			for i := range functions {
				calls.List = append(calls.List, Call{Package: "p", Name: fmt.Sprintf("f%d", i), At: calls.To})
			}
			left := map[string]bool{}
			for _, f := range presumed(calls, month) {
				left[f.Name] = true
			}
			for i := range functions {
				if !left[fmt.Sprintf("f%d", i)] {
					turns[i] = 100*turns[i] + n + 1 // two turns give a number above 100
					shares[n]++
				}
			}
		}
		return turns, shares
	}
	first, shares := marked(0)
	for n, share := range shares {
		if share < functions/periods/2 || share > functions/periods*2 {
			t.Errorf("%d of %d functions are marked in period %d", share, functions, n)
		}
	}
	second, _ := marked(1)
	same := 0
	for i := range functions {
		if first[i] < 1 || first[i] > periods || second[i] < 1 || second[i] > periods {
			t.Fatalf("function %d has turns %d and %d, want one each", i, first[i], second[i])
		}
		if first[i] == second[i] {
			same++
		}
	}
	if same > functions/10 {
		t.Errorf("%d of %d functions have their turn in the same period again", same, functions)
	}
}

// settings returns the settings of a module with evidence in a file.
func settings(t *testing.T, text string) *config.Config {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/app\n", "scavenger.toml": "evidence = \"report.json\"\n", "report.json": text} {
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

// reader reads some calls, and counts how often.
type reader struct {
	calls *Calls
	err   error
	count int
}

func (r *reader) read(string) (*Calls, error) {
	r.count++
	return r.calls, r.err
}

func ids(d *Digest) (compile, link string) {
	var a, b bytes.Buffer
	d.WriteCompileID(&a)
	d.WriteLinkID(&b)
	return a.String(), b.String()
}

// Times are in the ID of link alone, and each package has a hash of its own.
func TestDigest(t *testing.T) {
	r := &reader{calls: &Calls{Main: mainPath, To: end, List: []Call{
		called("atEnd", time.Hour), called("atLimit", time.Hour),
		{Package: "example.com/app/p/q", Receiver: "*T", Name: "Method", At: end},
		{Package: "example.com/app", Name: "run", At: end},
	}}}
	c := settings(t, "")
	read := func() *Digest {
		t.Helper()
		d, err := Read(c, Places{}, r.read)
		if err != nil || d.Problem != "" {
			t.Fatal(err, d.Problem)
		}
		return d
	}
	d := read()
	p, q := d.Package("example.com/app/p"), d.Package("example.com/app/p/q")
	if !p.Has("", "atEnd") || !p.Has("", "atLimit") || p.Has("", "Method") || p.Has("T", "atEnd") || p.At("", "atEnd") != end.Add(-time.Hour).UnixMilli() {
		t.Errorf("p has %v", p.at)
	}
	if !q.Has("T", "Method") || q.Has("*T", "Method") || q.Hash == p.Hash || len(q.at) != 1 {
		t.Errorf("p/q has %v", q.at)
	}
	if none := d.Package("example.com"); none.Hash != "" || none.Has("", "run") {
		t.Errorf("another package has %v", none)
	}
	hashes := d.Packages()
	if len(hashes) != 3 || hashes["example.com/app/p"] != p.Hash || hashes["example.com/app/p/q"] != q.Hash {
		t.Errorf("packages %v", hashes)
	}
	compile, link := ids(d)
	r.calls.List[0].At = end.Add(-2 * time.Hour)
	later := read()
	if c, l := ids(later); c != compile || l == link || later.Package("example.com/app/p").Hash != p.Hash {
		t.Errorf("another time changes the ID of compile: %v, of link: %v", c != compile, l != link)
	}
	r.calls.List[1].Name = "atMost"
	if other := read(); other.Package("example.com/app/p").Hash == p.Hash || other.Package("example.com/app/p/q").Hash != q.Hash {
		t.Error("another name does not change the hash of its package, or that of another")
	} else if c, _ := ids(other); c == compile {
		t.Error("another name does not change the ID of compile")
	}
	if c, l := ids(nil); c != "" || l != "" {
		t.Errorf("IDs without evidence: %q and %q", c, l)
	}
}

// What cannot be used presumes nothing, and says why.
func TestNoUse(t *testing.T) {
	one := []Call{{Package: "example.com/app", Name: "run", At: end}}
	for want, r := range map[string]*reader{
		"no such thing":               {err: errors.New("no such thing")},
		"another program, other.com":  {calls: &Calls{Main: "other.com", To: end, List: one}},
		"another program, example.c":  {calls: &Calls{Main: "example.com/application", To: end, List: one}},
		"does not say of which":       {calls: &Calls{To: end, List: one}},
		"does not say of which prog":  {calls: &Calls{Main: "command-line-arguments", To: end, List: one}},
		"its times make no sense":     {calls: &Calls{Main: mainPath, List: one}},
		"its times make no sense, or": {calls: &Calls{Main: mainPath, To: end.AddDate(200, 0, 0), List: one}},
	} {
		want, _, _ = strings.Cut(want, ", or")
		d, err := Read(settings(t, ""), Places{Cache: t.TempDir(), Work: t.TempDir()}, r.read)
		if err != nil || !strings.Contains(d.Problem, want) || len(d.Packages()) != 0 {
			t.Errorf("%v, %+v, want %q", err, d, want)
		}
	}
	c := settings(t, "")
	c.Evidence = ""
	if d, err := Read(c, Places{}, nil); d != nil || err != nil {
		t.Errorf("without evidence: %v, %v", d, err)
	}
}

// Evidence is read once, and again when it is changed or its digest is damaged. A build
// keeps what its first action read.
func TestPlaces(t *testing.T) {
	r := &reader{calls: &Calls{Main: mainPath, To: end, List: []Call{called("atEnd", 0)}}}
	c := settings(t, "1")
	places := Places{Cache: t.TempDir()}
	read := func(places Places, function string, count int) {
		t.Helper()
		d, err := Read(c, places, r.read)
		if err != nil || !d.Package("example.com/app/p").Has("", function) || r.count != count {
			t.Fatalf("%v, %v, read %d times, want %s and %d", err, d.Package("example.com/app/p"), r.count, function, count)
		}
	}
	read(places, "atEnd", 1)
	read(places, "atEnd", 1)
	build := Places{Cache: places.Cache, Work: t.TempDir()}
	read(build, "atEnd", 1)

	r.calls.List[0].Name = "atLimit"
	if err := os.WriteFile(c.Evidence, []byte("22"), 0o666); err != nil {
		t.Fatal(err)
	}
	read(places, "atLimit", 2)
	read(build, "atEnd", 2)

	kept, _ := filepath.Glob(filepath.Join(places.Cache, "scavenger", "evidence-*"))
	if len(kept) != 2 {
		t.Fatalf("the cache has %q", kept)
	}
	for _, file := range append(kept, filepath.Join(build.Work, "scavenger-evidence")) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, bytes.Replace(text, []byte("at"), []byte("ab"), 1), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	read(places, "atLimit", 3)
	read(build, "atLimit", 3) // from the cache
}

// A directory as evidence is read again when a file in it changes, comes or goes.
func TestDirectory(t *testing.T) {
	c := settings(t, "")
	c.Evidence = t.TempDir()
	key := func() string { return keyOf(c) }
	seen := map[string]bool{key(): true}
	file := filepath.Join(c.Evidence, "host", "data.hits")
	for _, change := range []func() error{
		func() error { return os.Mkdir(filepath.Dir(file), 0o777) },
		func() error { return os.WriteFile(file, []byte("1"), 0o666) },
		func() error { return os.Chtimes(file, end, end) },
		func() error { return os.WriteFile(file, []byte("12"), 0o666) },
		func() error { c.EvidenceMaxAge = time.Hour; return nil },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if seen[key()] {
			t.Error("a change does not change the key")
		}
		seen[key()] = true
	}
	c.Evidence = filepath.Join(file, "none")
	if seen[key()] {
		t.Error("evidence that cannot be there has the key of another")
	}
	c.Evidence = filepath.Dir(filepath.Dir(file))
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(c.Evidence, link); err != nil {
		t.Skip(err)
	}
	c.Evidence = link
	before := key()
	if err := os.WriteFile(file, []byte("123"), 0o666); err != nil {
		t.Fatal(err)
	}
	if key() == before {
		t.Error("a change behind a link does not change the key")
	}
}

// No text but a digest is read as one.
func FuzzDecode(f *testing.F) {
	d := &Digest{Source: "report.json", Main: mainPath}
	text, err := d.encode([]function{{"p", "T", "Method", 1}, {"p/q", "", "run", 2}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, 0, byte(0))
	f.Add(text, len(text)/2, byte(1))
	f.Fuzz(func(t *testing.T, text []byte, at int, flip byte) {
		text = bytes.Clone(text)
		if len(text) > 0 {
			text[uint(at)%uint(len(text))] ^= flip
		}
		got, err := decode(text)
		if err != nil {
			return
		}
		for path, hash := range got.Packages() {
			if p := got.Package(path); p.Hash != hash && strings.Count(string(got.parts), packageWord+path+" ") == 1 {
				t.Fatalf("%q: package %s has hash %s, and %s among all", text, path, p.Hash, hash)
			}
		}
	})
}
