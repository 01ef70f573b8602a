// The text of a mark, and what the package declares for it.
//
// A mark tests its cell, and sets it if it is not set. On one core a plain store would be
// faster. But the cells of many functions share a cache line. A line that is only read
// stays in the cache of every core, while one that is written moves from core to core.
// docs/performance.md has measurements.
//
// Every function has a mark, even one so small that the call is most of its cost. So the
// compiler must still inline such a function, and it does not if the cost of the body
// exceeds a budget of 80. The direct form
//
//	if cells[4113] == 0 { cells[4113] = 1 };
//
// costs 11. With it, one in eight of the functions that were inlined no longer is. The
// free form costs nothing:
//
//	counters[0] = hit(cells[4113], &cells[4113]);
//
// It is free because cmd/compile/internal/inline does not count an assignment to an
// element of a coverage counter, whatever is on the right. Which variables are counters
// is said by -coveragecfg, a flag for packages that `go build -cover` has instrumented.
// It names a JSON file, and that contains a prefix of the counters' names. Ours contains
// the name of one variable, an array of structs without fields. So there is nothing to
// assign: no code, no memory, and nothing that runtime/coverage would find among the
// counters that it writes.
//
// The function hit is inlined in turn. It is on one line, because each of its lines would
// be an entry in the line table of every function that it is inlined into:
//
//	func hit(v uint8, p *uint8) (r struct{}) { if v == 0 { for { *p = 1; if zero == 0 { break } } }; return }
//
// The loop ends after one turn. It makes the compiler move the store to the end of the
// calling function. What remains in line is a comparison with memory and a branch that is
// not taken.
//
// The caller reads the cell, rather than hit, for the sake of tracebacks. For a call that
// it inlines, the compiler needs an instruction on the line of the call, which stands for
// the call in the tables for tracebacks. If it finds none, as in a function that only
// converts its argument, it inserts one that does nothing. The comparison has the line of
// the load, so when the caller reads the cell the compiler finds it.
//
// Two other forms look better and are worse. Without the loop, the store stays in line
// and the branch around it is taken at each call. That saves a jump in some loops, and
// yet twenty benchmarks took 1.4 % longer with such marks in their small functions, and
// those of flate and norm 9 % with such marks in all. A goto gives the same code. With
// "for v != 0 { return }" the compiler takes the branch for likely, which brings the
// store back in line.
//
// The flag -coveragecfg has further consequences:
//
//   - The mode "testmain" keeps the package from registering with runtime/coverage. The
//     go command uses this mode for the main package of a test binary, which is not
//     covered.
//   - The compiler expects the package to have an initialisation, and stops with an
//     internal error if there is none. "var _ = 0" is one when it looks. It is dropped
//     later, so the order in which packages are initialised stays the same.
//   - In package main the compiler adds a call of runtime/coverage.initHook. The program
//     has that function only if it imports the package, so the generated file of main
//     declares an empty one. A main that has nothing else to initialise would gain an
//     init function by this call, so its marks are direct.
//
// A package that the user covers is compiled with the go command's own -coveragecfg.
// There the name of our array begins with the prefix from that file.
//
// A generic function is compiled by the package that instantiates it, and in that package
// our variable is not a counter. So its mark is a call of something that is not generic
// and assigns to counters. For a function of another package the compiler uses the cost
// that it found when it compiled that package, here 0. It adds 1 for the call, and 1 for
// each name and each literal in it. Two things it does not count: a method expression, and
// a conversion that is no code. The generic form consists of nothing else but its call,
// and costs 1:
//
//	generic(generic.m4113).m4113();
//
// Here generic is a type, func(generic), and each mark of this form has a method of it.
// The value that the method is called on is not used. Package main is only compiled for
// itself, so there the free form is free in generic functions too.
//
// Where [Options] do not ask for free marks, they are direct. If a compiler knows the
// flag but counts the assignment, marks still work and the program is slower. A test for
// each release of Go would show that.

package rewrite

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"io"
	"strconv"
)

// The generated declarations are named after the mark array, with these suffixes.
const (
	hitSuffix     = "_hit"      // a function that sets a cell
	genericSuffix = "_generic"  // a type whose methods set the cells of generic functions
	counterSuffix = "_counters" // the array that free marks assign to
	zeroSuffix    = "_zero"     // a variable that is never written
	hookSuffix    = "_hook"     // the empty runtime/coverage.initHook
)

// A form is a form of a mark.
type form int

const (
	direct        form = iota // if cells[4113] == 0 { cells[4113] = 1 };
	sanitized                 // hit(&cells[4113]);
	free                      // counters[0] = hit(cells[4113], &cells[4113]);
	freeSanitized             // counters[0] = hit(&cells[4113]);
	generic                   // generic(generic.m4113).m4113();
)

// form returns the form of the mark of a function, which may be generic.
func (p *pkg) form(inGeneric bool) form {
	inGeneric = inGeneric && !p.opts.Main
	switch {
	case p.opts.Free && !inGeneric && p.opts.Sanitizer:
		return freeSanitized
	case p.opts.Free && !inGeneric:
		return free
	case p.opts.Free:
		return generic
	case p.opts.Sanitizer:
		return sanitized
	}
	return direct
}

// appendMark appends a mark, the statement that sets a cell. It uses no predeclared name,
// since the package may redefine any of them, and no later language than Go 1.
//
// The race detector would report a direct mark, and the other sanitizers would add checks
// to it. They skip a function marked //go:norace, so that function must also read the
// cell.
func (w *writer) appendMark(b []byte, index int) []byte {
	cell := func() {
		b = append(b, w.symbol...)
		b = append(b, '[')
		b = strconv.AppendInt(b, int64(Padding+index), 10)
		b = append(b, ']')
	}
	switch w.form {
	case generic:
		name, method := w.symbol+genericSuffix, cellMethod(index)
		return fmt.Appendf(b, "%s(%s.%s).%s();", name, name, method, method)
	case free, freeSanitized:
		b = append(b, w.counters...)
		b = append(b, "[0] = "...)
		fallthrough
	case sanitized:
		b = append(b, w.symbol...)
		b = append(b, hitSuffix+"("...)
		if w.form == free {
			cell()
			b = append(b, ", "...)
		}
		b = append(b, '&')
		cell()
		return append(b, ");"...)
	}
	b = append(b, "if "...)
	cell()
	b = append(b, " == 0 { "...)
	cell()
	return append(b, " = 1 };"...)
}

// cellMethod returns the name of the method that sets a cell.
func cellMethod(index int) string { return "m" + strconv.Itoa(Padding+index) }

// isGeneric reports whether a function or its receiver type has type parameters.
func isGeneric(fn *ast.FuncDecl) bool {
	if fn.Type.TypeParams.NumFields() > 0 {
		return true
	}
	generic := false
	if fn.Recv.NumFields() > 0 {
		ast.Inspect(fn.Recv.List[0].Type, func(n ast.Node) bool {
			switch n.(type) {
			case *ast.IndexExpr, *ast.IndexListExpr:
				generic = true
			}
			return !generic
		})
	}
	return generic
}

// counters returns the name of the array that free marks assign to, or "" if marks are
// direct.
func counters(opts Options, symbol string) string {
	if !opts.Free {
		return ""
	}
	return opts.CounterPrefix + symbol + counterSuffix
}

// writeHit writes the functions that the marks of a package call, and their variables.
func (p *pkg) writeHit(b io.Writer) {
	symbol, counters := p.result.Symbol, counters(p.opts, p.result.Symbol)
	if counters != "" {
		fmt.Fprintf(b, "\nvar %s [1]struct{}\n\nvar %s %s\n\nvar _ = 0\n", counters, symbol+zeroSuffix, p.elem)
	}
	switch {
	case p.opts.Sanitizer:
		fmt.Fprintf(b, "\n//go:norace\n//go:nosplit\nfunc %s(p *%s) (r struct{}) { if *p == 0 { *p = 1 }; return }\n",
			symbol+hitSuffix, p.elem)
	case counters != "":
		fmt.Fprintf(b, "\nfunc %s(v %s, p *%s) (r struct{}) { if v == 0 { for { *p = 1; if %s == 0 { break } } }; return }\n",
			symbol+hitSuffix, p.elem, p.elem, symbol+zeroSuffix)
	}
	if len(p.generics) > 0 {
		name := symbol + genericSuffix
		fmt.Fprintf(b, "\ntype %s func(%s)\n", name, name)
		for _, index := range p.generics {
			cell := fmt.Sprintf("%s[%d]", symbol, Padding+index)
			read := cell + ", "
			if p.opts.Sanitizer {
				read = ""
			}
			fmt.Fprintf(b, "\nfunc (%s) %s() { %s[0] = %s(%s&%s) }\n", name, cellMethod(index), counters, symbol+hitSuffix, read, cell)
		}
	}
	if p.needsHook() {
		// The parameter should be a bool, but the package may redefine that name.
		fmt.Fprintf(b, "\n//go:linkname %s runtime/coverage.initHook\nfunc %s(%s) {}\n", symbol+hookSuffix, symbol+hookSuffix, p.elem)
	}
}

// needsHook reports whether the compiler adds a call of runtime/coverage.initHook, which
// the program may lack.
func (p *pkg) needsHook() bool {
	return p.opts.Main && p.opts.Free && p.opts.CounterPrefix == ""
}

// coverageCfg returns the content of the file for -coveragecfg: the name of the counters,
// and what else the compiler requires (internal/coverage.CoverFixupConfig).
func (p *pkg) coverageCfg() []byte {
	if !p.opts.Free || p.opts.CounterPrefix != "" {
		return nil
	}
	none := p.result.Symbol + "_none"
	text, err := json.Marshal(map[string]string{
		"CounterPrefix":      counters(p.opts, p.result.Symbol),
		"CounterMode":        "testmain",
		"CounterGranularity": "perfunc",
		"MetaHash":           "00000000000000000000000000000000",
		"MetaVar":            none,
		"PkgIdVar":           none,
	})
	if err != nil {
		panic(err) // strings are always valid
	}
	return text
}
