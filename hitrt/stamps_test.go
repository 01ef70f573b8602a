package hitrt

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// What the registry says of the order of functions changes nothing of the files,
// and nothing that cannot be right is believed.
func TestDataFileInOrder(t *testing.T) {
	files := func(field int) (stamps []int64, ranges []datafile.Range, codebase string) {
		prog := newProgram(2000)
		for i := range prog.Packages {
			p := &prog.Packages[i]
			if i%3 > 0 {
				inOrder(p)
			}
			p.Entries = "#header\n" + p.Entries
			switch {
			case field != 0:
				p.InOrder = field
			case i%6 == 1:
				p.InOrder = 0
			}
		}
		pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+newDataDir(t))
		pub.prepare()
		marks := &marksFile{} // as if they were mapped
		for i := range prog.Packages {
			marks.first = append(marks.first, 4096*2*i+i)
		}
		for i := range prog.Packages {
			pub.data.hit(i, 0, earliest+1)
			pub.data.hit(i, i%20, earliest+2)
			pub.data.hit(i, len(prog.Packages[i].Marks)-1, earliest+3) // padding
		}
		var list bytes.Buffer
		if err := pub.data.writeCodebase(&list); err != nil {
			t.Fatal(err)
		}
		// Where each function is, as ranges may be divided differently.
		at := make([]datafile.Range, pub.data.functions)
		for _, r := range marks.ranges(pub.data) {
			for k := range r.Count {
				at[r.First+k] = datafile.Range{At: r.At + k, First: r.First + k, Count: 1}
			}
		}
		return pub.data.last, at, list.String()
	}
	stamps, ranges, codebase := files(-1) // all is read
	for _, field := range []int{0, 33} {
		if s, r, c := files(field); !slices.Equal(s, stamps) || !slices.Equal(r, ranges) || c != codebase {
			t.Errorf("InOrder %d: other files than without it", field)
		}
	}
}

// If it is wrong where that cannot be seen at once, there is no list of functions in
// which the calls of one would be another's.
func TestDataFileWrongOrder(t *testing.T) {
	for name, change := range map[string]func(p *Package){
		"one fewer":      func(p *Package) { p.InOrder-- },
		"one more":       func(p *Package) { p.InOrder++ },
		"not observable": func(p *Package) { p.InOrder = 11 },
		"swapped": func(p *Package) {
			p.Entries = strings.NewReplacer("\n3\t", "\n4\t", "\n4\t", "\n3\t").Replace(p.Entries)
		},
	} {
		prog := newProgram(10)
		if name != "not observable" {
			inOrder(&prog.Packages[0])
		}
		change(&prog.Packages[0])
		dir := newDataDir(t)
		pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
		prog.call(3)
		pub.begin()
		if got := messages.String(); !strings.Contains(got, "internal error") || !strings.Contains(got, prog.Packages[0].Path) {
			t.Errorf("%s: messages %q, want one about the order", name, got)
		}
		if names, _ := filepath.Glob(filepath.Join(dir, "codebase-*")); len(names) > 0 {
			t.Errorf("%s: %q are there", name, names)
		}
	}
}
