//go:build !nonetwork

package hitrt

import (
	"slices"
	"strings"
	"testing"
)

func TestParseEntry(t *testing.T) {
	tests := []struct {
		line string
		want entry
		ok   bool
	}{
		{"0\ta/b.go\t12\t*Server\tClose\tint,...string", entry{0, "", "a/b.go", "12", "*Server", "Close", "int,...string", ""}, true},
		{"17\t\t3\t\tmain\t", entry{17, "", "", "3", "", "main", "", ""}, true},
		{"-no body\ta.go\t3\t\tadd\tint", entry{-1, "no body", "a.go", "3", "", "add", "int", ""}, true},
		{"2\ta.go\t3+4g\t\tadd\tint\tkeep for years", entry{2, "", "a.go", "3+4g", "", "add", "int", "keep for years"}, true},
		{"x\ta.go\t3\t\tadd\tint", entry{}, false},
		{"1\ta.go\t3\t\tadd", entry{}, false},
		{"", entry{}, false},
	}
	for _, test := range tests {
		if got, ok := parseEntry(test.line); got != test.want || ok != test.ok {
			t.Errorf("parseEntry(%q) = %+v, %v, want %+v, %v", test.line, got, ok, test.want, test.ok)
		}
	}
}

func TestEntryLines(t *testing.T) {
	for line, want := range map[string][2]int{"12": {12, 1}, "12+3": {12, 4}, "1+10000": {1, 10001}, "12g": {12, 1}, "12+3g": {12, 4}} {
		e := entry{line: line}
		if first, count := e.lines(); first != want[0] || count != want[1] {
			t.Errorf("lines of %q = %d, %d, want %v", line, first, count, want)
		}
		if got, want := e.generated(), strings.HasSuffix(line, "g"); got != want {
			t.Errorf("%q is generated: %v, want %v", line, got, want)
		}
	}
}

// An index beyond the marks must not be used.
func TestEntriesOutOfRange(t *testing.T) {
	p := Package{Marks: make([]uint8, 8), Entries: "0\ta.go\t1\t\tF\t\n8\t\t2\t\tG\t\nrubbish\n7\t\t3\t\tH\t\n"}
	var got []string
	for at, e := range p.entries() {
		got = append(got, e.name)
		if again := p.entryAt(at); again != e {
			t.Errorf("entryAt(%d) = %+v, want %+v", at, again, e)
		}
	}
	if want := []string{"F", "H"}; !slices.Equal(got, want) {
		t.Errorf("functions %q, want %q", got, want)
	}
}

func TestHashes(t *testing.T) {
	prog := newProgram(100)
	c := newCodebase(prog.Packages)
	calls := []int{0, 29, 30, 65, 99}
	for _, i := range calls {
		prog.call(i)
	}
	set := newBitset(c.size)
	c.sweep(func(pkg, mark int) { set.add(c.base[pkg] + mark) })
	var got, want []string
	for number, hash := range c.hashes(set) {
		if !set.has(number) {
			t.Errorf("function number %d was not asked for", number)
		}
		got = append(got, hexOf(hash))
	}
	for _, i := range calls {
		want = append(want, prog.hashOf(i))
	}
	if !slices.Equal(got, want) {
		t.Errorf("hashes %q, want %q", got, want)
	}
}

// Chunks hold every function once, keep to the limit, have fingerprints of
// their own, and keep those when other chunks change.
func TestChunks(t *testing.T) {
	const limit = 100_000
	prog := newProgram(3000)
	chunks := newCodebase(prog.Packages).chunks("<default>", limit)
	if len(chunks) != 8 {
		t.Fatalf("%d chunks, want 8", len(chunks))
	}
	functions := map[string]bool{}
	fingerprints := map[string]bool{}
	c := newCodebase(prog.Packages)
	for _, k := range chunks {
		message := c.encode(k, nil)
		if len(message) > limit+frameSize+10 {
			t.Errorf("message of %d bytes, want at most %d", len(message), limit)
		}
		fingerprints[k.fingerprint] = true
		if len(k.fingerprint) > 200 {
			t.Errorf("fingerprint %q is too long", k.fingerprint)
		}
		for _, raw := range parseProto(t, message[frameSize:]).all(2) {
			functions[parseProto(t, []byte(raw)).text(8)] = true
		}
	}
	if len(functions) != 3000 || len(fingerprints) != 8 {
		t.Errorf("%d functions with %d fingerprints, want 3000 with 8", len(functions), len(fingerprints))
	}

	changed := newProgram(3000)
	changed.Packages[50].Entries = strings.Replace(changed.Packages[50].Entries, "Func1507\t", "Renamed\t", 1)
	same := 0
	for _, k := range newCodebase(changed.Packages).chunks("<default>", limit) {
		if fingerprints[k.fingerprint] {
			same++
		}
	}
	if same != 6 && same != 7 { // it left one chunk and came into another, or the same
		t.Errorf("%d chunks kept their fingerprint, want all but one or two", same)
	}
	for _, k := range newCodebase(prog.Packages).chunks("other", limit) {
		if fingerprints[k.fingerprint] {
			t.Errorf("a fingerprint is the same in two environments")
		}
	}
}

func TestChunksSmall(t *testing.T) {
	for _, n := range []int{0, 1, 100} {
		prog := newProgram(n)
		chunks := newCodebase(prog.Packages).chunks("<default>", maxMessage)
		if len(chunks) != 1 || len(chunks[0].members) != n || len(chunks[0].fingerprint) != 64 {
			t.Errorf("%d functions: chunks %+v, want one with a plain fingerprint", n, chunks)
		}
	}
}

func TestEncodeEntry(t *testing.T) {
	tests := []struct {
		receiver, name        string
		visibility, modifiers string
		declaring, signature  string
	}{
		{"*Server", "Close", "public", "public", "a.b.Server", "a.b.Server.Close(int)"},
		{"server", "close", "package-private", "", "a.b.server~type", "a.b.server~type.close(int)"},
		{"", "Add", "public", "public static", "a.b.func", "a.b.func.Add(int)"},
		{"", "add", "package-private", "static", "a.b.func", "a.b.func.add(int)"},
		{"", "Ärger", "public", "public static", "a.b.func", "a.b.func.Ärger(int)"},
	}
	for _, test := range tests {
		e := entry{receiver: test.receiver, name: test.name, params: "int"}
		hash := signatureHash("a/b", e.receiver, e.name)
		m := parseProto(t, []byte(parseProto(t, appendEntry(nil, e, "a.b", hash)).text(2)))
		for field, want := range map[int]string{1: test.declaring, 2: test.visibility, 3: test.signature,
			4: test.name, 5: test.modifiers, 6: "", 7: "", 8: hexOf(hash)} {
			if got := m.text(field); got != want {
				t.Errorf("%s: field %d = %q, want %q", test.name, field, got, want)
			}
		}
	}
}

func BenchmarkSweep(b *testing.B) {
	prog := newProgram(100_000)
	c := newCodebase(prog.Packages)
	for b.Loop() {
		c.sweep(func(int, int) {})
	}
}

func BenchmarkChunks(b *testing.B) {
	prog := newProgram(100_000)
	c := newCodebase(prog.Packages)
	b.ReportAllocs()
	for b.Loop() {
		c.chunks("<default>", maxMessage)
	}
}

// indices yields what entries does, whatever the text.
func FuzzIndices(f *testing.F) {
	f.Add(newProgram(30).Packages[0].Entries)
	f.Add("header\n0\ta.go\t1\t\tF\t\n-nosplit\t\t2\t\tG\tint\tx\n7\t\t3\n\n99\t\t3\t\tH\t\n-1\t\t\t\t\t\n+1\t\t\t\t\t")
	f.Fuzz(func(t *testing.T, text string) {
		p := &Package{Path: "p", Marks: make([]uint8, 32), Entries: text}
		var want []int
		for _, e := range p.entries() {
			want = append(want, e.index)
		}
		if got := slices.Collect(p.indices()); !slices.Equal(got, want) {
			t.Errorf("indices %v, want %v", got, want)
		}
	})
}

// What only the report reads changes nothing for the collector.
func TestCodebaseOfDirectives(t *testing.T) {
	send := func(entries string) string {
		c := newCodebase([]Package{{Path: "example.com/p", Marks: make([]uint8, 8), Entries: entries}})
		var all []byte
		for _, k := range c.chunks("test", 1<<20) {
			all = append(append(all, k.fingerprint...), c.encode(k, nil)...)
		}
		return string(all)
	}
	plain := send("0\ta.go\t1+2\t\tF\tint\n1\t\t9\t*T\tM\t\n")
	if got := send("0\ta.go\t1+2g\t\tF\tint\n1\t\t9g\t*T\tM\t\tkeep until=2027-02-01 why\n"); got != plain {
		t.Errorf("with directives %q is sent, without %q", got, plain)
	}
}
