// The entry of a function: its name and position as people and the collector see them.

package rewrite

import (
	"bytes"
	"go/ast"
	"path"
	"path/filepath"
	"strings"
)

// entry returns fn's entry. The function is not yet marked; add sets Index or Reason.
func (p *pkg) entry(f *file, fn *ast.FuncDecl) Function {
	pos := f.adjusted(fn.Pos())
	return Function{
		Index:    -1,
		Receiver: receiver(fn),
		Name:     fn.Name.Name,
		Params:   f.params(fn.Type.Params),
		File:     p.fileName(f, pos.Filename),
		Line:     pos.Line,
		Lines:    f.lines(fn),
	}
}

// lines returns how many lines a function has, from its first to its last, as Line counts
// them. Where //line directives lead its end elsewhere, those of the text count.
func (f *file) lines(fn ast.Node) int {
	from, to := f.adjusted(fn.Pos()), f.adjusted(fn.End())
	if from.Filename != to.Filename || from.Line > to.Line {
		from, to = f.raw(fn.Pos()), f.raw(fn.End())
	}
	return to.Line - from.Line + 1
}

// receiver returns the name of the receiver's type, with its star and without type
// parameters. It returns "*List" for each of
//
//	func (l *List[T]) Len() int
//	func (*List[_]) Len() int
//	func (l *(List[T])) Len() int
//
// and "" for a function that is no method.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv.NumFields() == 0 {
		return ""
	}
	star, name := BaseType(fn.Recv.List[0].Type)
	return star + name
}

// BaseType returns the name of a type without stars, parentheses and type arguments, and
// "*" if the type has a star. A type without a name, which the compiler refuses as a
// receiver, yields "".
func BaseType(typ ast.Expr) (star, name string) {
	for {
		switch t := typ.(type) {
		case *ast.ParenExpr:
			typ = t.X
		case *ast.StarExpr:
			star, typ = "*", t.X
		case *ast.IndexExpr:
			typ = t.X
		case *ast.IndexListExpr:
			typ = t.X
		case *ast.Ident:
			return star, t.Name
		default:
			return star, ""
		}
	}
}

// params returns the types of parameters as they are written, without the names. For (a,
// b int, rest ...string) it returns "int,int,...string".
func (f *file) params(list *ast.FieldList) string {
	var b []byte
	for _, field := range list.List {
		start := len(b)
		b = appendFolded(b, f.source.Text[f.offset(field.Type.Pos()):f.offset(field.Type.End())])
		end := len(b)
		b = append(b, ',')
		for range len(field.Names) - 1 {
			b = append(b, b[start:end]...)
			b = append(b, ',')
		}
	}
	if len(b) == 0 {
		return ""
	}
	types := string(b[:len(b)-1])
	if f.fromCgo {
		types = beforeCgo(types)
	}
	return types
}

// appendFolded appends Go source as one line: it drops comments and replaces white space
// by one blank. It also drops the /*line*/ directives that cgo puts around what it
// changes, and the blank that cgo puts in front of each.
func appendFolded(b, src []byte) []byte {
	for i := 0; i < len(src); {
		if bytes.HasPrefix(src[i:], []byte(" /*line ")) {
			i += 1 + blank(src[i+1:])
			continue
		}
		n := blank(src[i:])
		if n > 0 {
			for i += n; i < len(src); i += n {
				if n = blank(src[i:]); n == 0 {
					break
				}
			}
			b = append(b, ' ')
			continue
		}
		n = 1
		if c := src[i]; c == '"' || c == '`' || c == '\'' {
			n = literal(src[i:])
		}
		for _, c := range src[i : i+n] {
			if c < ' ' {
				c = ' ' // in a raw string, such as the tag of a field
			}
			b = append(b, c)
		}
		i += n
	}
	return b
}

// blank returns the length of the white space or comment at the start of src.
func blank(src []byte) int {
	switch src[0] {
	case ' ', '\t', '\r', '\n':
		return 1
	case '/':
		end := "\n"
		if len(src) > 1 && src[1] == '*' {
			end = "*/"
		} else if len(src) < 2 || src[1] != '/' {
			return 0 // a division, in the length of an array
		}
		if i := bytes.Index(src[2:], []byte(end)); i >= 0 {
			return 2 + i + len(end)
		}
		return len(src)
	}
	return 0
}

// literal returns the length of the string or rune literal at the start of src.
func literal(src []byte) int {
	quote := src[0]
	for i := 1; i < len(src); i++ {
		switch {
		case src[i] == quote:
			return i + 1
		case src[i] == '\\' && quote != '`':
			i++
		}
	}
	return len(src)
}

// fileName returns Function.File for a function to which a //line directive gives the
// file name, or "" if no directive does. Results must not depend on the machine, so of an
// absolute name only the last element counts. The same goes for the file's own name, also
// if a header sets it: cover and cgo write absolute names, or with -trimpath names that
// begin with the import path.
func (p *pkg) fileName(f *file, name string) string {
	switch {
	case name == "":
		name = filepath.Base(f.source.Name)
	case name == f.name || filepath.IsAbs(name):
		name = filepath.Base(name)
	}
	name = path.Join(p.opts.Dir, filepath.ToSlash(name))
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return '?' // entries are lines of fields separated by tabs
		}
		return r
	}, name)
}
