// Rows: what nobody called, as the largest wholes.
//
// Whoever deletes code begins with whole packages, files and types. So functions that were
// never called are rolled up: into their package if all of its functions are among them,
// else into their file, else into their type, and function literals into the function
// around them. Each function is in one row.

package output

import (
	"cmp"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// A row is a package, file, type or function that nobody called.
type row struct {
	kind        string
	first       *report.Function // of its functions, in the order of the report
	functions   int
	lines       int
	observedFor int64 // seconds, of the function that was observed for the shortest time
	counter     lineCounter
}

// The kinds of rows.
const (
	packageRow  = "package"
	fileRow     = "file"
	typeRow     = "type"
	functionRow = "function"
)

// A rowKey tells rows of a package apart. A file also has a module, as two modules may have
// a package main in main.go; a function has a receiver.
type rowKey struct{ kind, name, of string }

// rowKeys returns what a function is a part of, the largest first, and itself last.
func rowKeys(keys []rowKey, f *report.Function) []rowKey {
	receiver := strings.TrimPrefix(f.Receiver, "*")
	keys = append(keys[:0], rowKey{packageRow, "", ""}, rowKey{fileRow, f.File, f.Module})
	if receiver != "" {
		keys = append(keys, rowKey{typeRow, receiver, ""})
	}
	for i, c := range f.Name { // of a literal: Outer.func1, Outer-range1.func2
		if c == '.' || c == '-' {
			keys = append(keys, rowKey{functionRow, f.Name[:i], receiver})
		}
	}
	return append(keys, rowKey{functionRow, f.Name, receiver})
}

// rows returns rows of functions that the report looks for, the largest first.
func (t text) rows() (list []*row) {
	others := map[string][]report.Function{}
	for functions := range byPackage(t.Others) {
		others[functions[0].Package] = functions
	}
	for functions := range byPackage(t.Functions) {
		list = append(list, t.packageRows(functions, others[functions[0].Package])...)
	}
	slices.SortStableFunc(list, func(a, b *row) int {
		return cmp.Or(cmp.Compare(b.lines, a.lines), cmp.Compare(b.functions, a.functions))
	})
	return list
}

// packageRows returns the rows of one package, in the order of its functions. Others are
// those that are not selected: what they are a part of is no whole.
func (t text) packageRows(functions, others []report.Function) (list []*row) {
	alive := map[rowKey]bool{}    // what some other function is a part of
	declared := map[rowKey]bool{} // functions; literals of an initialiser are in none
	var keys []rowKey
	for i := range functions {
		keys = rowKeys(keys, &functions[i])
		declared[keys[len(keys)-1]] = true
		if !t.Uncalled(&functions[i]) {
			setAll(alive, keys)
		}
	}
	for i := range others {
		keys = rowKeys(keys, &others[i])
		setAll(alive, keys)
	}
	byKey := map[rowKey]*row{}
	for i := range functions {
		f := &functions[i]
		if !t.Uncalled(f) {
			continue
		}
		keys = rowKeys(keys, f)
		k := keys[len(keys)-1]
		if at := slices.IndexFunc(keys, func(k rowKey) bool { return !alive[k] && (k.kind != functionRow || declared[k]) }); at >= 0 {
			k = keys[at]
		}
		r := byKey[k]
		if r == nil {
			r = &row{kind: k.kind, first: f, observedFor: f.ObservedFor}
			byKey[k] = r
			list = append(list, r)
		}
		r.add(f)
	}
	return list
}

func setAll(set map[rowKey]bool, keys []rowKey) {
	for _, k := range keys {
		set[k] = true
	}
}

func (r *row) add(f *report.Function) {
	r.functions++
	r.lines += r.counter.add(f)
	r.observedFor = min(r.observedFor, f.ObservedFor)
}

// what names the row: where it is, and what it is called if that does not say it.
func (r *row) what() (where, name string) {
	switch {
	case r.kind == packageRow:
		return "package " + report.Printable(r.first.Package), ""
	case r.kind == fileRow:
		return "file " + report.Printable(r.first.File), ""
	case r.kind == typeRow && r.functions > 1:
		return place(r.first), "type " + report.Printable(strings.TrimPrefix(r.first.Receiver, "*"))
	}
	return place(r.first), report.Printable(fullName(r.first))
}

// writeRows writes the largest rows.
func (t text) writeRows() {
	const most = 20
	if list := t.rows(); len(list) > 0 {
		t.printf("\n%s, largest first\n\n", t.heading())
		t.writeLargest(list, most)
	} else {
		t.printf("\n%s\n", t.heading())
	}
	if n := t.damaged(); n > 0 {
		t.writeDamaged(n)
	}
}

// writeLargest writes some rows, and what the others sum up to.
func (t text) writeLargest(list []*row, most int) {
	lines := t.hasLines()
	if lines {
		t.print("  LINES  ")
	}
	t.print("FUNCTIONS  OBSERVED FOR  WHAT\n")
	rest := row{}
	for i, r := range list {
		if i >= most {
			rest.functions += r.functions
			rest.lines += r.lines
			continue
		}
		indent := 25
		if lines {
			t.printf("%7d  ", r.lines)
			indent += 9
		}
		where, name := r.what()
		if r.kind != packageRow {
			where += t.inModule(r.first)
		}
		t.printf("%9d  %-12s  %s", r.functions, shortly(r.observedFor), where)
		if name != "" && indent+columns(where)+2+columns(name) > 80 {
			t.printf("\n%*s", indent-2, "")
		}
		if name != "" {
			t.print("  " + name)
		}
		t.print("\n")
	}
	if n := len(list) - most; n > 0 {
		t.printf("and %d more, of %s", n, plural(rest.functions, "function"))
		if lines {
			t.printf(" and %s", plural(rest.lines, "line"))
		}
		t.print(": --all lists every function\n")
	}
}
