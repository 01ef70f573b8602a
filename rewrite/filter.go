// Which functions are left out, by the settings or by comments in the source.
//
// Our syntax trees have no comments (see parse). So the comments of a declaration are
// looked up in the text in front of it, and only if the file contains a word that may
// matter.

package rewrite

import (
	"bytes"
	"cmp"
	"go/ast"
	"go/token"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Filter says which functions of a package are left out, that is, neither marked nor
// listed. The zero Filter leaves none out.
//
// Two comments are obeyed with any Filter. //scavenger:ignore leaves out a function, the
// methods of a type, or, above the package clause, a file. //scavenger:track lists a
// function or the methods of a type, whatever the Filter says.
//
// A third one, //scavenger:keep, is for the report alone (directive.go).
type Filter struct {
	ExportedOnly bool // leaves out what is not exported, and methods of such types
	Constructors bool // leaves out New… and Must… functions that return a type of the package
	Accessors    bool // leaves out methods that only return or set a field of the receiver
	Generated    bool // leaves out files with a line "// Code generated … DO NOT EDIT."

	// Names leaves out the functions that it matches, by their name or that of their
	// receiver type: example.com/shop/cart.Cart.Add, example.com/shop/cart.Cart.
	Names []*regexp.Regexp

	// If there are Markers, functions without one are left out, except those that Exempt
	// matches. A function has a marker if a line of its doc comment, or of its receiver
	// type's, begins with that word.
	Markers []string
	Exempt  []*regexp.Regexp
}

// Reasons why a function is left out.
const (
	leftOutIgnored     = "//scavenger:ignore"
	leftOutGenerated   = "excludeGenerated"
	leftOutRegex       = "excludeByRegex"
	leftOutMarkers     = "annotations"
	leftOutVisibility  = "methodVisibility"
	leftOutConstructor = "excludeConstructors"
	leftOutAccessor    = "excludeGetterSetter"
)

// The directives, without their slashes.
const (
	ignoreDirective = "scavenger:ignore"
	trackDirective  = "scavenger:track"
	keepDirective   = "scavenger:keep"
)

// A selection decides which functions of a package are listed.
type selection struct {
	Filter
	importPath string
	types      map[string]*comments // of the types that the package declares
}

// A comments says what the doc comment of a declaration asks for.
type comments struct {
	ignored, tracked, hasMarker bool
	keep                        string // see Function.Directive
}

func newSelection(opts Options, files []*file) *selection {
	s := &selection{Filter: opts.Filter, importPath: opts.ImportPath, types: map[string]*comments{}}
	for _, f := range files {
		s.addTypes(f)
	}
	return s
}

func (s *selection) addTypes(f *file) {
	mayMatter := s.commentsMatter(f)
	end := f.tree.Name.End()
	for _, decl := range f.tree.Decls {
		start := end
		end = decl.End()
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.TYPE {
			continue
		}
		before := start
		for _, spec := range gen.Specs {
			t := spec.(*ast.TypeSpec)
			d := &comments{}
			s.types[t.Name.Name] = d
			if mayMatter {
				if !gen.Lparen.IsValid() {
					s.readComments(d, docLines(f.between(before, gen.Pos())))
				} else {
					s.readComments(d, docLines(f.between(start, gen.Pos())))
					s.readComments(d, docLines(f.between(max(before, gen.Lparen+1), t.Pos())))
				}
			}
			before = t.End()
		}
	}
}

// commentsMatter reports whether a comment of the file may influence the selection.
func (s *selection) commentsMatter(f *file) bool {
	return len(s.Markers) > 0 || f.directives
}

func (f *file) between(from, to token.Pos) []byte {
	return f.source.Text[f.offset(from):f.offset(to)]
}

// readComments notes in d what the lines of a doc comment ask for.
func (s *selection) readComments(d *comments, lines []string) {
	for _, line := range lines {
		word := line
		if i := strings.IndexFunc(line, func(r rune) bool { return unicode.IsSpace(r) || r == '(' }); i >= 0 {
			word = line[:i]
		}
		switch word {
		case "//" + ignoreDirective:
			d.ignored = true
		case "//" + trackDirective:
			d.tracked = true
		case "//" + keepDirective:
			d.keep = keepText(line)
		}
		word = strings.TrimPrefix(word, "//")
		for _, m := range s.Markers {
			d.hasMarker = d.hasMarker || word == m
		}
	}
}

// docLines returns the lines of a declaration's doc comment. gap is the text between the
// declaration and the previous one. The doc comment is the comments at the end of gap,
// without an empty line behind them. A directive keeps its slashes ("//go:noinline"), any
// other line loses them ("Add adds.").
func docLines(gap []byte) []string {
	var lines []string
	// A comment on the line of the previous declaration belongs to that one.
	if i := bytes.IndexByte(gap, '\n'); i >= 0 && bytes.HasPrefix(bytes.TrimLeft(gap, " \t;})"), []byte("//")) {
		gap = gap[i:]
	}
	fresh := 0 // line breaks since the last comment
	for len(gap) > 0 {
		switch {
		case gap[0] == '\n':
			if fresh++; fresh > 1 {
				lines = lines[:0]
			}
			gap = gap[1:]
		case bytes.HasPrefix(gap, []byte("//")):
			line, rest, _ := bytes.Cut(gap, []byte("\n"))
			lines = append(lines, lineText(string(line)))
			gap, fresh = rest, 1
		case bytes.HasPrefix(gap, []byte("/*")):
			comment, rest, _ := bytes.Cut(gap[2:], []byte("*/"))
			for line := range strings.SplitSeq(string(comment), "\n") {
				lines = append(lines, strings.TrimLeft(line, " \t\r*"))
			}
			gap, fresh = rest, 0
		default:
			gap = gap[1:]
		}
	}
	return lines
}

func lineText(comment string) string {
	comment = strings.TrimRight(comment, " \t\r")
	if len(comment) > 2 && comment[2] != ' ' && comment[2] != '\t' && comment[2] != '@' {
		return comment
	}
	return strings.TrimLeft(comment[2:], " \t")
}

// readHead notes what the text above the package clause says of the whole file.
func (s *selection) readHead(f *file) {
	head := f.source.Text[:f.offset(f.tree.Package)]
	f.generated = isGenerated(head)
	if s.Generated && f.generated {
		f.leftOut = leftOutGenerated
	}
	if !bytes.Contains(head, []byte("//scavenger:")) {
		return
	}
	for line := range strings.SplitSeq(string(head), "\n") {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
		case fields[0] == "//"+ignoreDirective:
			f.leftOut = leftOutIgnored
		case fields[0] == "//"+keepDirective:
			f.keep = keepText(strings.TrimSpace(line))
		}
	}
}

// isGenerated reports whether head, the text above a package clause, contains the line
// that generated files have (go.dev/s/generatedcode). The line of cgo does not count: cgo
// puts it into the copy that the compiler gets, not into the source.
func isGenerated(head []byte) bool {
	if !bytes.Contains(head, []byte("// Code generated ")) {
		return false
	}
	for line := range bytes.SplitSeq(head, []byte("\n")) {
		line = bytes.TrimSuffix(line, []byte("\r"))
		if bytes.HasPrefix(line, []byte("// Code generated ")) && bytes.HasSuffix(line, []byte(" DO NOT EDIT.")) &&
			!bytes.Equal(line, []byte(cgoHeader)) {
			return true
		}
	}
	return false
}

// commentsOf returns what the comments of a function and of its receiver's type ask for.
// gap is the text between the function and the previous declaration.
func (s *selection) commentsOf(f *file, fn *ast.FuncDecl, gap []byte) comments {
	d := comments{}
	if s.commentsMatter(f) {
		s.readComments(&d, docLines(gap))
	}
	if t := s.types[strings.TrimPrefix(receiver(fn), "*")]; t != nil && fn.Recv != nil {
		d.hasMarker = d.hasMarker || t.hasMarker
		d.tracked = d.tracked || t.tracked && !d.ignored
		d.ignored = d.ignored || t.ignored && !d.tracked
		d.keep = cmp.Or(d.keep, t.keep)
	}
	return d
}

// leftOut returns why a function with such comments is left out, or "" if it is not.
func (s *selection) leftOut(f *file, fn *ast.FuncDecl, d comments) string {
	typ := strings.TrimPrefix(receiver(fn), "*")
	switch {
	case d.ignored:
		return leftOutIgnored
	case d.tracked:
		return ""
	case f.leftOut != "":
		return f.leftOut
	case s.matches(s.Names, typ, fn.Name.Name):
		return leftOutRegex
	case len(s.Markers) > 0 && !d.hasMarker && !s.matches(s.Exempt, typ, fn.Name.Name):
		return leftOutMarkers
	case s.ExportedOnly && (!fn.Name.IsExported() || fn.Recv != nil && !ast.IsExported(typ)):
		return leftOutVisibility
	case s.Constructors && s.isConstructor(fn):
		return leftOutConstructor
	case s.Accessors && isAccessor(fn):
		return leftOutAccessor
	}
	return ""
}

// matches reports whether one of the expressions matches a function or its receiver type.
func (s *selection) matches(list []*regexp.Regexp, typ, name string) bool {
	if len(list) == 0 {
		return false
	}
	function := s.importPath + "." + name
	if typ != "" {
		typ = s.importPath + "." + typ
		function = typ + "." + name
	}
	for _, re := range list {
		if re.MatchString(function) || typ != "" && re.MatchString(typ) {
			return true
		}
	}
	return false
}

// isConstructor reports whether the name of a function begins with New or Must and it
// returns a type of its own package.
func (s *selection) isConstructor(fn *ast.FuncDecl) bool {
	if fn.Recv != nil || fn.Type.Results == nil || !hasWord(fn.Name.Name, "New") && !hasWord(fn.Name.Name, "Must") {
		return false
	}
	for _, result := range fn.Type.Results.List {
		if _, name := BaseType(result.Type); s.types[name] != nil && !isTypeParameter(fn, name) {
			return true
		}
	}
	return false
}

// hasWord reports whether a name begins with a word. NewCart and New begin with New,
// Newton does not.
func hasWord(name, word string) bool {
	rest, ok := strings.CutPrefix(name, word)
	next, _ := utf8.DecodeRuneInString(rest)
	return ok && !unicode.IsLower(next)
}

func isTypeParameter(fn *ast.FuncDecl, name string) bool {
	if fn.Type.TypeParams == nil {
		return false
	}
	for _, field := range fn.Type.TypeParams.List {
		for _, n := range field.Names {
			if n.Name == name {
				return true
			}
		}
	}
	return false
}

// isAccessor reports whether a method only returns a field of its receiver, or only
// assigns its one parameter to such a field.
func isAccessor(fn *ast.FuncDecl) bool {
	if fn.Recv == nil || fn.Body == nil || len(fn.Body.List) != 1 || len(fn.Recv.List) != 1 || len(fn.Recv.List[0].Names) != 1 {
		return false
	}
	self := fn.Recv.List[0].Names[0].Name
	switch stmt := fn.Body.List[0].(type) {
	case *ast.ReturnStmt:
		return fn.Type.Params.NumFields() == 0 && len(stmt.Results) == 1 && isField(stmt.Results[0], self)
	case *ast.AssignStmt:
		if stmt.Tok != token.ASSIGN || len(stmt.Lhs) != 1 || len(stmt.Rhs) != 1 || fn.Type.Params.NumFields() != 1 || fn.Type.Results.NumFields() != 0 {
			return false
		}
		value, ok := stmt.Rhs[0].(*ast.Ident)
		names := fn.Type.Params.List[0].Names
		return ok && len(names) == 1 && names[0].Name == value.Name && isField(stmt.Lhs[0], self)
	}
	return false
}

// isField reports whether an expression is self.name.
func isField(x ast.Expr, self string) bool {
	sel, ok := x.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	base, ok := sel.X.(*ast.Ident)
	return ok && base.Name == self
}
