// Package rewrite marks the functions of a Go package: source text in, marked
// source text and codebase entries out.
//
// A mark is a statement at the start of a function's body that sets the
// function's cell in an array of the package:
//
//	func Close(f *File) error {
//		return f.close()
//	}
//
// becomes, with the same lines and columns,
//
//	func Close(f *File) error {
//		if _scavenger_0123456789ab[4113] == 0 { _scavenger_0123456789ab[4113] = 1 };/*line :2:2*/return f.close()
//	}
//
// Marks are inserted into the text, and everything else stays as it is, byte
// for byte: a syntax tree that is printed again moves comments, and with them
// what //go:embed, //export and //line refer to. The tree only says where.
//
// No file is read or written. A package is type-checked only where that is needed: for
// the names of function literals ([Closures]), and for initialisers that leave no code
// (see static.go).
package rewrite

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
)

// A Source is one Go file of a package as the compiler would get it.
type Source struct {
	Name string // absolute path: what the compiler would record for the file
	Text []byte // is not modified
}

// Options say how a package is marked.
type Options struct {
	ImportPath string    // without " [x.test]"; names the array of marks
	Dir        string    // prefix of Function.File, separated by slashes: "", "internal/store" or an import path
	Filter     Filter    // which functions are left out
	Closures   *Closures // function literals are entries of their own; nil if they belong to the function around them
	Inlined    bool      // the compiler inlines functions: -l and -N are not given
	Sanitizer  bool      // the package is compiled with -race, -msan or -asan: marks call a function that these leave alone

	// Importer finds the packages that the package imports, where it is type-checked.
	// Without it, or if it fails, what depends on imported constants and types is
	// guessed: numbers of function literals may be wrong (they are still different from
	// each other), and calls of functions that are static (see static.go) overlooked.
	Importer types.Importer
	Arch     string // GOARCH, on which constants may depend

	// Columns asks for what the compiler prints to have the columns of the
	// original. Lines it has in any case.
	Columns bool

	// Free asks for marks that cost nothing in the inliner's eyes. The package
	// is to be compiled with [Result.CoverageCfg] or, if it is compiled with a
	// -coveragecfg of the user's, with that one, whose CounterPrefix is given here.
	Free          bool
	CounterPrefix string
	Main          bool // the package is a program's main; Free is not for one whose program holds runtime/coverage
}

// A Result is a marked package.
type Result struct {
	Files        [][]byte   // the marked text of each file; nil where the file is to be compiled as it came
	Declarations []byte     // one more file, to be compiled first; nil if nothing was marked
	CoverageCfg  []byte     // the file for compile's -coveragecfg; nil if it is to get none of ours
	Symbol       string     // name of the array of marks
	Marks        int        // length of the array without its padding: the observable functions, rounded up to a multiple of 8
	Functions    []Function // the entries, in source order
	LeftOut      []Function // what the filter left out, with the reason
	Checked      bool       // the package was type-checked for initialisers that leave no code
	Twins        int        // functions that were added for such initialisers to call
}

// A Function is one entry: a function or method that is declared in the
// package, or with [Closures] a function literal. Functions named init or _ are
// not listed, since nobody can call them.
type Function struct {
	Index    int    // into the array of marks, or -1: not observable
	Reason   string `json:",omitempty"` // why not observable
	Receiver string `json:",omitempty"` // "", "Server" or "*Server", without type parameters
	Name     string // of a literal in a method Add: "Add.func1"
	Params   string // types of the parameters as written, separated by commas
	File     string // see [Options] for its directory; never an absolute path
	Line     int    // in File, after //line directives

	// Static says that the function counts as called when the program starts:
	// initialisers call it, and the compiler lays out what it returns.
	Static bool `json:",omitempty"`
}

// Reasons why a function is not observable.
const (
	reasonNoBody   = "no body"                    // assembly, //go:linkname, //go:wasmimport
	reasonNosplit  = "nosplit"                    // a mark takes stack that the linker may have counted already
	reasonShadowed = "predeclared types shadowed" // the array of marks cannot be declared
)

// Package marks the files of one package. An error says that a file is not Go;
// the compiler has better words for it, so let it see the original files.
func Package(opts Options, files []Source) (*Result, error) {
	p := &pkg{
		opts:    opts,
		fset:    token.NewFileSet(),
		indices: map[*ast.FuncLit]int{},
		result: &Result{
			Files:  make([][]byte, len(files)),
			Symbol: arraySymbol(opts.ImportPath, files),
		},
	}
	parsed := make([]*file, len(files))
	for i, source := range files {
		f, err := p.parse(source)
		if err != nil {
			return nil, fmt.Errorf("parsing %s: %w", source.Name, err)
		}
		parsed[i] = f
	}
	p.elem = freeType(parsed, "uint8", "byte", "int8")
	p.index = freeType(parsed, "int", "uint", "uintptr", "int64", "uint64", "int32", "uint32")
	p.selection = newSelection(opts, parsed)
	p.nameLiterals(parsed)
	p.findStatics(parsed)
	for i, f := range parsed {
		if leftAlone(f.source.Name) {
			p.result.Files[i] = p.replaceCalls(f)
		} else {
			p.result.Files[i] = p.mark(f)
		}
	}
	if p.statics != nil {
		p.result.Twins = len(p.statics.twins)
	}
	if p.marked > 0 {
		p.result.Marks = (p.marked + 7) &^ 7
		p.result.Declarations = p.declarations(parsed[0].tree.Name.Name)
		p.result.CoverageCfg = p.coverageCfg()
	}
	return p.result, nil
}

// pkg is the state of one call of [Package].
type pkg struct {
	opts    Options
	fset    *token.FileSet
	elem    string // element type of the array of marks; "" if there is none to be had
	index   string // integer type that can count the cells; "" if there is none to be had
	marked  int    // number of marks so far
	generic bool   // there is a mark of this form
	result  *Result

	selection *selection              // of the functions to list
	names     map[*ast.FuncLit]string // of the function literals to list
	indices   map[*ast.FuncLit]int    // of those that are marked
	info      *types.Info             // nil if the package was not type-checked
	statics   *statics                // nil if there are none
}

// A file is one parsed file of the package.
type file struct {
	source Source
	tree   *ast.File
	pos    *token.File
	name   string // name that //line directives ahead of the package clause give the file; "" if none

	literals []*ast.FuncLit // those that have names, in the order of the text
}

func (p *pkg) parse(source Source) (*file, error) {
	if strings.ContainsAny(source.Name, "\r\n") {
		return nil, fmt.Errorf("line break in file name %q", source.Name)
	}
	// Comments are not parsed: directives in them are found by the scanner
	// (//line) and in the text (//go:nosplit), which is faster.
	//
	// The name is left empty so that the file's own positions can be told from
	// those after a //line directive, and relative names there stay relative.
	tree, err := parser.ParseFile(p.fset, "", source.Text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	f := &file{source: source, tree: tree, pos: p.fset.File(tree.Package)}
	f.name = f.adjusted(tree.Package).Filename
	return f, nil
}

// leftAlone reports whether the functions of a file are neither marked nor
// listed: they are tests or the go command's own.
func leftAlone(name string) bool {
	base := filepath.Base(name)
	return strings.HasSuffix(base, "_test.go") || strings.HasPrefix(base, "_cgo_") || base == "_testmain.go"
}

// mark lists the functions of a file and returns its marked text, or nil if
// the file has no function to be marked.
func (p *pkg) mark(f *file) []byte {
	w := p.writer(f)
	whole := p.selection.leftOutFile(f)
	end := f.tree.Name.End() // of the declaration before
	for _, decl := range f.tree.Decls {
		gap := f.source.Text[f.offset(end):f.offset(decl.Pos())]
		end = decl.End()
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			w.form = p.form(isGeneric(decl))
			p.markFunction(w, f, decl, gap, whole)
		case *ast.GenDecl:
			w.form = p.form(false)
			p.markVariables(w, f, decl, gap, whole)
		}
	}
	p.statics.writeTwins(w, p.indices)
	return w.finish()
}

func (p *pkg) writer(f *file) *writer {
	return &writer{file: f, symbol: p.result.Symbol, counters: counters(p.opts, p.result.Symbol), columns: p.opts.Columns}
}

// replaceCalls returns the text of a file whose functions are left alone, in which
// initialisers call twins, or nil if there is nothing to be replaced.
func (p *pkg) replaceCalls(f *file) []byte {
	w := p.writer(f)
	w.merge(p.statics.callsIn(f, f.tree), nil, nil)
	p.statics.writeTwins(w, p.indices)
	return w.finish()
}

// markFunction lists and marks a function and the literals in it.
func (p *pkg) markFunction(w *writer, f *file, fn *ast.FuncDecl, gap []byte, whole string) {
	leftOut := p.selection.leftOut(f, fn, gap, whole)
	reason := ""
	switch {
	case fn.Body == nil:
		reason = reasonNoBody
	case hasNosplit(gap):
		reason = reasonNosplit
	case p.elem == "":
		reason = reasonShadowed
	}
	if listed(fn) {
		p.add(w, p.entry(f, fn), fn, leftOut, reason)
	}
	p.markLiterals(w, f, fn, leftOut, reason)
}

// add lists a function or function literal, and marks it unless there is a reason why
// it is left out or not observable. The mark of a literal that an initialiser calls
// without leaving code is never set by code.
func (p *pkg) add(w *writer, entry Function, fn ast.Node, leftOut, reason string) {
	if leftOut != "" {
		entry.Reason = leftOut
		p.result.LeftOut = append(p.result.LeftOut, entry)
		return
	}
	if reason != "" {
		entry.Reason = reason
	} else {
		entry.Index = p.marked
		entry.Static = p.statics.isCalled(fn)
		p.marked++
		p.generic = p.generic || w.form == generic
		switch fn := fn.(type) {
		case *ast.FuncDecl:
			w.mark(fn.Body, entry.Index)
		case *ast.FuncLit:
			p.indices[fn] = entry.Index
			if !entry.Static {
				w.mark(fn.Body, entry.Index)
			}
		}
	}
	p.result.Functions = append(p.result.Functions, entry)
}

// listed reports whether a function is a part of the codebase. A method named
// init is one like any other.
func listed(fn *ast.FuncDecl) bool {
	return fn.Name.Name != "_" && (fn.Name.Name != "init" || fn.Recv != nil)
}

// hasNosplit reports whether the comments between a function and the
// declaration before it contain a //go:nosplit directive. The compiler takes
// all of them for the function's, also when an empty line follows.
func hasNosplit(gap []byte) bool {
	const directive = "//go:nosplit"
	if !bytes.Contains(gap, []byte(directive)) {
		return false
	}
	for {
		i := bytes.IndexByte(gap, '/')
		if i < 0 {
			return false
		}
		gap = gap[i:]
		if bytes.HasPrefix(gap, []byte("/*")) {
			_, gap, _ = bytes.Cut(gap[2:], []byte("*/"))
			continue
		}
		var line []byte
		line, gap, _ = bytes.Cut(gap, []byte("\n"))
		verb, _, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\r")), []byte(" "))
		if string(verb) == directive {
			return true
		}
	}
}

// offset returns the place of pos in the text.
func (f *file) offset(pos token.Pos) int {
	return int(pos) - f.pos.Base()
}

// raw returns a position in the text, whatever //line directives say.
func (f *file) raw(pos token.Pos) token.Position {
	return f.pos.PositionFor(pos, false)
}

// adjusted returns a position after //line directives. The name of the file is
// empty where they do not give it another one. The column is 0 where they
// leave it open.
//
// go/scanner follows the same rules as the compiler but for the names: it
// cleans them, and would put relative ones into the directory of the file if
// that had a name.
func (f *file) adjusted(pos token.Pos) token.Position {
	return f.pos.PositionFor(pos, true)
}
