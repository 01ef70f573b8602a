// Package rewrite marks the functions of a Go package: source text in, marked source text
// and codebase entries out.
//
// A mark is a statement at the start of a function's body. It sets the function's cell,
// one byte of an array that the package declares, the mark array:
//
//	func Close(f *File) error {
//		return f.close()
//	}
//
// becomes
//
//	func Close(f *File) error {
//		if _scavenger_0123456789ab[4113] == 0 { _scavenger_0123456789ab[4113] = 1 };/*line :2:2*/return f.close()
//	}
//
// Every line keeps its number. Columns are restored where that is asked for, as here.
//
// Marks are inserted into the text, and everything else stays as it is, byte for byte.
// The syntax tree only tells where a mark goes. To print the tree again would move
// comments, and with them what //go:embed, //export and //line refer to.
//
// The package reads and writes no files. It type-checks a Go package only for two things:
// the names of function literals ([Closures]), and initialisers that leave no code
// (static.go).
package rewrite

import (
	"bytes"
	"cmp"
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
	Name string // absolute path, which the compiler would record for the file
	Text []byte // Package does not modify it
}

// Options say how a package is marked.
type Options struct {
	ImportPath string // without " [x.test]"; the name of the mark array is derived from it
	Filter     Filter // which functions are left out
	Inlined    bool   // the compiler inlines functions: neither -l nor -N is given

	// Dir is the directory that Function.File begins with, separated by slashes: "",
	// "internal/store" or an import path.
	Dir string

	// Closures asks for an entry of its own for each function literal. If it is nil, a
	// literal belongs to the function that contains it.
	Closures *Closures

	// Sanitizer says that the package is compiled with -race, -msan or -asan. Its marks
	// then call a function that the sanitizer does not instrument.
	Sanitizer bool

	// Importer finds imported packages when the package is type-checked. If it is nil or
	// fails, two things are less exact. Function literals may get wrong numbers, which
	// are still unique. Initialisers that leave no code (static.go) may be overlooked.
	Importer types.Importer
	Arch     string // GOARCH, on which constants may depend

	// Presumed reports whether a function needs no mark, as its calls are known from
	// elsewhere. base is its receiver's type without a star. If it is nil, no function is
	// presumed.
	Presumed func(base, name string) bool

	// Columns asks that the compiler's messages have the columns of the original file.
	// They have its lines in any case.
	Columns bool

	// Free asks for marks that add nothing to a function's cost in the inliner. Compile
	// the package with [Result.CoverageCfg]. If the go command already passes a
	// -coveragecfg, compile with that one, and set CounterPrefix to the prefix in it.
	Free          bool
	CounterPrefix string

	// Main says that the package is a program's main. A main whose program contains
	// runtime/coverage must not have Free.
	Main bool
}

// A Result is a marked package.
type Result struct {
	Files        [][]byte   // the marked text of each file; nil if the file needs no change
	Declarations []byte     // one more file, to be compiled first; nil if nothing is marked
	CoverageCfg  []byte     // content of a file for compile's -coveragecfg; nil for none
	Symbol       string     // name of the mark array
	Cells        int        // how many of its bytes are no padding; a multiple of 8
	Functions    []Function // the entries, in source order
	LeftOut      []Function // what the filter leaves out, with the reason
}

// A Function is one entry: a function or method that is declared in the package, or with
// [Closures] a function literal. Functions named init or _ are not listed, since nobody
// can call them.
type Function struct {
	Index    int    // of the cell; -1 if the function is not observable
	Reason   string `json:",omitempty"` // why it is not observable, or is left out
	Receiver string `json:",omitempty"` // "", "Server" or "*Server", without type parameters
	Name     string // of a literal in a method Add: "Add.func1"
	Params   string // types of the parameters as written, separated by commas
	File     string // begins with [Options.Dir]; never an absolute path
	Line     int    // in File, after //line directives
	Lines    int    // from its first to its last, those of its literals too

	// Static says that the function counts as called as soon as the program starts: an
	// initialiser calls it, and the compiler evaluates that call.
	Static bool `json:",omitempty"`

	// Presumed says that the function has no mark because Options.Presumed says so.
	Presumed bool `json:",omitempty"`

	// Generated says that the line "// Code generated … DO NOT EDIT." is above the package
	// clause.
	Generated bool `json:",omitempty"`

	// Directive is the //scavenger:keep comment that is about the function, its receiver's
	// type or its file, without "//scavenger:"; "" if there is none. It is one line, and
	// what it says need not make sense.
	Directive string `json:",omitempty"`
}

// BaseName returns the name of a function behind that of its receiver's type, without a
// star: "Cart.Add".
func (f *Function) BaseName() string {
	if f.Receiver == "" {
		return f.Name
	}
	return strings.TrimPrefix(f.Receiver, "*") + "." + f.Name
}

// Reasons why a function is not observable.
const (
	reasonNoBody   = "no body"                    // assembly, //go:linkname, //go:wasmimport
	reasonNosplit  = "nosplit"                    // a mark could exceed the stack limit
	reasonShadowed = "predeclared types shadowed" // the mark array cannot be declared
)

// Package marks the files of one package. It fails if a file does not parse. The compiler
// explains such an error better, so let it compile the original files. It fails as well, and
// does not panic, where it has a bug, unless that exhausts the stack: a bug must not stop
// anybody's build.
func Package(opts Options, files []Source) (res *Result, err error) {
	defer func() {
		if bug := recover(); bug != nil {
			res, err = nil, internalError(bug)
		}
	}()
	p, err := markPackage(opts, files)
	if err != nil {
		return nil, err
	}
	return p.result, nil
}

func markPackage(opts Options, files []Source) (*pkg, error) {
	p := &pkg{
		opts: opts,
		fset: token.NewFileSet(),
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
	p.elem = unshadowedType(parsed, "uint8", "byte", "int8")
	p.selection = newSelection(opts, parsed)
	p.nameLiterals(parsed)
	p.findStatics(parsed)
	for i, f := range parsed {
		if !leftAlone(f.source.Name) {
			p.result.Files[i] = p.mark(f)
		}
	}
	if p.marked > 0 {
		p.result.Cells = (p.marked + 7) &^ 7
		p.result.Declarations = p.declarations(parsed[0].tree.Name.Name)
		p.result.CoverageCfg = p.coverageCfg()
	}
	return p, nil
}

// A pkg is the state of one call of [Package].
type pkg struct {
	opts     Options
	fset     *token.FileSet
	elem     string // element type of the mark array; "" if all usable types are shadowed
	marked   int    // number of marks so far
	generics []int  // those of the generic form, by index
	result   *Result

	selection *selection              // decides which functions are listed
	names     map[*ast.FuncLit]string // the names of function literals that have one
	info      *types.Info             // nil until the package is type-checked
	static    *staticInit             // nil if initialisers need not be looked at
}

// A file is one parsed file of the package.
type file struct {
	source Source
	tree   *ast.File
	pos    *token.File
	name   string // that a //line directive above the package clause gives; or ""

	fromCgo    bool // cgo has changed the text
	directives bool // whether the text may have comments that are meant for us

	literals []*ast.FuncLit // those with names, in the order of the text

	// What the text above the package clause says.
	leftOut   string // why the whole file is left out, or ""
	keep      string // see Function.Directive
	generated bool
}

// A verdict is what becomes of a function.
type verdict struct {
	leftOut   string // why it is left out, or ""
	reason    string // why it is not observable, or ""
	directive string // see Function.Directive
}

func (p *pkg) parse(source Source) (*file, error) {
	if strings.ContainsAny(source.Name, "\r\n") {
		return nil, fmt.Errorf("line break in file name %q", source.Name)
	}
	// Comments are not parsed, which saves time: the scanner handles //line, and other
	// directives are looked up in the text.
	//
	// The parser gets an empty name. So a position has a name only behind a //line
	// directive, and a relative name in a directive stays relative.
	tree, err := parser.ParseFile(p.fset, "", source.Text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	f := &file{source: source, tree: tree, pos: p.fset.File(tree.Package)}
	f.fromCgo = bytes.HasPrefix(source.Text, []byte(cgoHeader))
	f.directives = bytes.Contains(source.Text, []byte("scavenger:"))
	f.name = f.adjusted(tree.Package).Filename
	return f, nil
}

// leftAlone reports whether the functions of a file are neither marked nor listed, because
// they are tests or were written by the go command or SWIG: nobody can delete what is not
// in the source tree. SWIG writes _x_swig.go, and cgo turns that into _x_swig.cgo1.go.
func leftAlone(name string) bool {
	base := filepath.Base(name)
	return strings.HasSuffix(base, "_test.go") || strings.HasPrefix(base, "_cgo_") || base == "_testmain.go" ||
		strings.HasPrefix(base, "_") && strings.HasSuffix(base, "_swig.cgo1.go")
}

// mark lists the functions of a file and returns its marked text, or nil if nothing in
// the file changes.
func (p *pkg) mark(f *file) []byte {
	w := p.writer(f)
	p.selection.readHead(f)
	end := f.tree.Name.End() // of the previous declaration
	for _, decl := range f.tree.Decls {
		gap := f.source.Text[f.offset(end):f.offset(decl.Pos())]
		end = decl.End()
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			w.form = p.form(isGeneric(decl))
			p.markFunction(w, f, decl, gap)
		case *ast.GenDecl:
			w.form = p.form(false)
			p.markVariables(w, f, decl, gap)
		}
	}
	return w.finish()
}

func (p *pkg) writer(f *file) *writer {
	return &writer{file: f, symbol: p.result.Symbol, counters: counters(p.opts, p.result.Symbol), columns: p.opts.Columns}
}

// markFunction lists and marks a function and the literals in it. gap is the text between
// the function and the previous declaration.
func (p *pkg) markFunction(w *writer, f *file, fn *ast.FuncDecl, gap []byte) {
	d := p.selection.commentsOf(f, fn, gap)
	v := verdict{leftOut: p.selection.leftOut(f, fn, d), directive: cmp.Or(d.keep, f.keep)}
	switch {
	case fn.Body == nil:
		v.reason = reasonNoBody
	case hasDirective(gap, "//go:nosplit"):
		v.reason = reasonNosplit
	case p.elem == "":
		v.reason = reasonShadowed
	}
	if listed(fn) {
		p.add(w, p.entry(f, fn), fn, fn.Body, v)
	}
	p.markLiterals(w, f, fn, v)
}

// add lists a function or function literal, and marks it unless the verdict says that it
// is left out or not observable. A static function gets a cell and no mark: it counts as
// called (see static.go). A presumed one likewise.
func (p *pkg) add(w *writer, entry Function, fn ast.Node, body *ast.BlockStmt, v verdict) {
	entry.Generated, entry.Directive = w.file.generated, v.directive
	if v.leftOut != "" {
		entry.Reason = v.leftOut
		p.result.LeftOut = append(p.result.LeftOut, entry)
		return
	}
	if v.reason != "" {
		entry.Reason = v.reason
	} else {
		entry.Index = p.marked
		entry.Static = p.static.isCalled(fn)
		entry.Presumed = !entry.Static && p.isPresumed(&entry, fn)
		p.marked++
		if !entry.Static && !entry.Presumed {
			if w.form == generic {
				p.generics = append(p.generics, entry.Index)
			}
			w.mark(body, entry.Index)
		}
	}
	p.result.Functions = append(p.result.Functions, entry)
}

// isPresumed reports whether a function needs no mark. A function literal does: it is called
// otherwise as soon as there is another one before it.
func (p *pkg) isPresumed(entry *Function, fn ast.Node) bool {
	_, declared := fn.(*ast.FuncDecl)
	return declared && p.opts.Presumed != nil && p.opts.Presumed(strings.TrimPrefix(entry.Receiver, "*"), entry.Name)
}

// listed reports whether a function is a part of the codebase. A method may be named init
// and is listed like any other.
func listed(fn *ast.FuncDecl) bool {
	return fn.Name.Name != "_" && (fn.Name.Name != "init" || fn.Recv != nil)
}

// hasDirective reports whether gap, the text between a function and the previous
// declaration, contains a directive such as //go:nosplit. The compiler applies each
// directive in gap to the function, even if an empty line follows it.
func hasDirective(gap []byte, directive string) bool {
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

// offset returns the offset of pos in the text.
func (f *file) offset(pos token.Pos) int {
	return int(pos) - f.pos.Base()
}

// raw returns the position without regard to //line directives.
func (f *file) raw(pos token.Pos) token.Position {
	return f.pos.PositionFor(pos, false)
}

// adjusted returns the position that //line directives give. Its file name is empty if no
// directive names a file, and its column is 0 if the directive has none.
//
// go/scanner follows the compiler's rules, with one exception: it cleans file names, and
// would join a relative one with the directory of the file if the file had a name.
func (f *file) adjusted(pos token.Pos) token.Position {
	return f.pos.PositionFor(pos, true)
}
