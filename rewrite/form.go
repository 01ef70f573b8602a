// The text of a mark, and what its package declares for it.
//
// A mark tests its cell and sets it. To test first is slower than to store on
// one core, but the cells of many functions share a cache line, and a line that
// is only read stays in the cache of every core, where one that is written is
// taken from core to core. docs/performance.md has measurements.
//
// A mark is found in every function, also in those that are so small that
// calling them is most of what they cost. So what counts is that the compiler
// still inlines them, and it stops when the body of a function is above a
// budget. The direct form
//
//	if cells[4113] == 0 { cells[4113] = 1 };
//
// takes 11 of a budget of 80, by which one in eight of the functions that were
// inlined is not any more. The free form takes nothing:
//
//	counters[0] = hit(cells[4113], &cells[4113]);
//
// Its price is waived by cmd/compile/internal/inline: an assignment to an
// element of what it was told is a coverage counter is not counted, whatever is
// on the right. It is told by -coveragecfg, with which `go build -cover` has
// packages compiled that cmd/cover has changed: a JSON file that names, by a
// prefix of their names, the variables that are counters. We name one, that is
// an array of structs without fields, so that there is nothing to assign: no
// code, no memory, nothing for runtime/coverage to find between the counters
// that it writes out.
//
// The function hit is inlined by itself. It is on one line, since each of its
// lines would be an entry in the line tables of the functions it ends up in:
//
//	func hit(v uint8, p *uint8) (r struct{}) { if v == 0 { for { *p = 1; if zero == 0 { break } } }; return }
//
// The loop, which is left after one turn, makes the compiler place the store at
// the end of the function that it is inlined into. What is left in the way is a
// comparison with memory and a branch that is not taken.
//
// The cell is read by the caller, for a reason of the compiler's: for a call that
// it inlines it needs an instruction on the line of the call, which stands for
// the call in tables for tracebacks. Where it finds none there, as in a function
// that only converts its argument, it puts one in that does nothing. The
// comparison has the line of the load; so it is found there.
//
// Two forms look better and are not. Without the loop the store stays in line: the
// branch over it is taken at each call, which saves a jump in some loops, and yet
// twenty benchmarks took 1.4 % longer with such marks in their small functions.
// And "for v != 0 { return }", by which the compiler takes the branch for likely,
// brings the store back in line.
//
// What else -coveragecfg entails:
//
//   - With the mode "testmain" the package registers nothing with
//     runtime/coverage: that is how the main package of a test binary is
//     compiled, which is covered itself by nothing.
//   - The compiler wants a package that has an initialisation, and stops with an
//     internal error if there is none. "var _ = 0" is one when it looks, and is
//     dropped afterwards, so the order in which packages are initialised stays.
//   - In package main it adds a call to runtime/coverage.initHook. The program
//     has none unless it imports that package, so main's file of declarations
//     provides an empty one. A main that has nothing else to initialise would get an
//     init function by it: its marks are direct.
//
// A package that the user has covered is compiled with the go command's own
// -coveragecfg, and the array's name begins with the prefix that is in there.
//
// A generic function is compiled by the package that instantiates it, and there
// no variable of ours is a counter. So its mark is a call
//
//	generic(4113)
//
// of a function that is none, and that assigns to counters in turn: of another
// package's function the compiler takes the cost that was found when that was
// compiled, here 0, and adds 3 for the call.
//
// Where [Options] do not ask for free marks, they are direct. Should a compiler know the flag but give no rebate, then marks are as
// good as any, and the program slower; a test for each release of Go tells.

package rewrite

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"io"
	"strconv"
)

// Suffixes of the array's name that make the names of the package's other
// declarations.
const (
	hitSuffix     = "_hit"      // the function that sets a cell
	genericSuffix = "_generic"  // the one that does so for generic functions
	counterSuffix = "_counters" // what free marks assign to
	zeroSuffix    = "_zero"     // a variable that is never written
	hookSuffix    = "_hook"     // the stand-in for runtime/coverage.initHook
)

// A form is one of the texts that a mark can have.
type form int

const (
	direct        form = iota // if cells[4113] == 0 { cells[4113] = 1 };
	sanitized                 // hit(&cells[4113]);
	free                      // counters[0] = hit(cells[4113], &cells[4113]);
	freeSanitized             // counters[0] = hit(&cells[4113]);
	generic                   // generic(4113);
)

// form returns the form of the marks in a function.
func (p *pkg) form(inGeneric bool) form {
	switch {
	case p.opts.Free && !inGeneric && p.opts.Sanitizer:
		return freeSanitized
	case p.opts.Free && !inGeneric:
		return free
	case p.opts.Free && p.index != "":
		return generic
	case p.opts.Sanitizer:
		return sanitized
	}
	return direct
}

// appendMark appends the statement that sets a cell. It uses no predeclared
// name, any of which the package may have given another meaning, and is Go 1.
//
// The race detector would report a direct mark, and the other sanitizers would
// add checks to it. They leave a function alone that says so, which then has to
// read the cell too.
func (w *writer) appendMark(b []byte, index int) []byte {
	cell := func() {
		b = append(b, w.symbol...)
		b = append(b, '[')
		b = strconv.AppendInt(b, int64(Padding+index), 10)
		b = append(b, ']')
	}
	switch w.form {
	case generic:
		b = append(b, w.symbol...)
		b = append(b, genericSuffix+"("...)
		b = strconv.AppendInt(b, int64(Padding+index), 10)
		return append(b, ");"...)
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

// isGeneric reports whether a function has type parameters, or its receiver has.
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

// counters returns the name of the array that free marks assign to, "" if marks
// are direct.
func counters(opts Options, symbol string) string {
	if !opts.Free {
		return ""
	}
	return opts.CounterPrefix + symbol + counterSuffix
}

// writeHit writes what the marks of a package call.
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
	if p.generic {
		read := ""
		if !p.opts.Sanitizer {
			read = symbol + "[i], "
		}
		fmt.Fprintf(b, "\nfunc %s(i %s) { %s[0] = %s(%s&%s[i]) }\n", symbol+genericSuffix, p.index, counters, symbol+hitSuffix, read, symbol)
	}
	if p.needsHook() {
		// Its parameter should be a bool, which the package may have declared.
		fmt.Fprintf(b, "\n//go:linkname %s runtime/coverage.initHook\nfunc %s(%s) {}\n", symbol+hookSuffix, symbol+hookSuffix, p.elem)
	}
}

// needsHook reports whether the compiler adds a call to the package that the
// program would not link with.
func (p *pkg) needsHook() bool {
	return p.opts.Main && p.opts.Free && p.opts.CounterPrefix == ""
}

// coverageCfg returns what -coveragecfg is to tell the compiler: the counters'
// name, and what it takes to be content (internal/coverage.CoverFixupConfig).
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
