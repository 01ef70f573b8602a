// The layout of comments in Go files: where a file's own comment stands, and how wide
// comments are.

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// looseFolders are the folders whose files are not yet held to the rules, each with the
// folders below it.
var looseFolders = []string{"e2e"}

// maxCommentColumn is the last column that a comment may reach. Comments are wrapped at 90.
const maxCommentColumn = 100

// tabWidth is how many columns a tab counts.
const tabWidth = 4

func TestStyle(t *testing.T) {
	checked := 0
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		slashed := filepath.ToSlash(name)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || slices.Contains(looseFolders, slashed) ||
			strings.HasPrefix(d.Name(), ".") && name != "."):
			return fs.SkipDir
		case d.IsDir() || path.Ext(slashed) != ".go":
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		faults, err := styleFaults(slashed, text)
		for _, fault := range faults {
			t.Error(fault)
		}
		checked++
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked == 0 {
		t.Error("no file was checked")
	}
}

// styleFaults returns the faults of a Go file, each with its position.
func styleFaults(name string, text []byte) ([]string, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil || ast.IsGenerated(f) {
		return nil, err
	}
	s := &styleCheck{fset: fset, file: f, lines: strings.Split(string(text), "\n")}
	s.checkFileComment(name)
	for _, group := range f.Comments {
		for _, c := range group.List {
			s.checkWidth(c)
		}
	}
	return s.faults, nil
}

type styleCheck struct {
	fset   *token.FileSet
	file   *ast.File
	lines  []string
	faults []string
}

func (s *styleCheck) fault(pos token.Pos, message string) {
	p := s.fset.Position(pos)
	s.faults = append(s.faults, fmt.Sprintf("%s:%d: %s", p.Filename, p.Line, message))
}

// checkFileComment finds comments about the file that do not stand above the package
// clause, with an empty line in between. Without that line they are a part of the package's
// documentation, which one file has.
func (s *styleCheck) checkFileComment(name string) {
	f := s.file
	if f.Doc != nil && (strings.HasSuffix(name, "_test.go") ||
		f.Name.Name != "main" && !strings.HasPrefix(f.Doc.Text(), "Package "+f.Name.Name+" ")) {
		s.fault(f.Doc.Pos(), "put an empty line between the file's comment and the package clause")
	}
	// The first declaration that is no import ends the part of the file that counts.
	end, doc := f.FileEnd, (*ast.CommentGroup)(nil)
	var imports []ast.Node
	for _, decl := range f.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if ok && gen.Tok == token.IMPORT {
			imports = append(imports, gen)
			continue
		}
		end = decl.Pos()
		if doc = docOf(decl); doc != nil {
			end = doc.Pos()
		}
		break
	}
	for _, group := range f.Comments {
		if group.Pos() < f.Name.End() || group.Pos() >= end || strings.HasPrefix(group.List[0].Text, "//go:") {
			continue
		}
		if s.line(group.Pos()) == s.line(f.Name.End()) || slices.ContainsFunc(imports, func(n ast.Node) bool {
			return s.line(n.Pos()) <= s.line(group.Pos()) && s.line(group.Pos()) <= s.line(n.End())
		}) {
			continue
		}
		s.fault(group.Pos(), "the file's comment stands above the package clause")
	}
}

func (s *styleCheck) line(pos token.Pos) int { return s.fset.Position(pos).Line }

func docOf(decl ast.Decl) *ast.CommentGroup {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		return decl.Doc
	case *ast.GenDecl:
		return decl.Doc
	}
	return nil
}

// checkWidth finds the lines of a comment that are too wide. Directives, lines with a URL,
// and preformatted text such as code and tables may be wider.
func (s *styleCheck) checkWidth(c *ast.Comment) {
	first := s.line(c.Pos())
	for i := range strings.Split(c.Text, "\n") {
		line := strings.TrimSuffix(s.lines[first-1+i], "\r")
		comment := strings.TrimPrefix(strings.TrimSpace(line), "//")
		if strings.HasPrefix(comment, "\t") || strings.HasPrefix(c.Text, "//go:") || strings.Contains(line, "://") {
			continue
		}
		width := utf8.RuneCountInString(line) + (tabWidth-1)*strings.Count(line, "\t")
		if width > maxCommentColumn {
			s.faults = append(s.faults, fmt.Sprintf("%s:%d: comment is %d columns wide, want at most %d",
				s.fset.Position(c.Pos()).Filename, first+i, width, maxCommentColumn))
		}
	}
}

// TestStyleFaults checks that the rules find what they forbid, and nothing else.
func TestStyleFaults(t *testing.T) {
	wide := strings.Repeat("wide ", 20)
	for _, test := range []struct {
		text string
		want int // line of the fault; 0 for none
	}{
		{"// About.\n\npackage p\n\nimport \"fmt\" // why\n\n// F does.\nfunc F() { fmt.Print() }\n", 0},
		{"// Package p is.\npackage p\n", 0},
		{"// About.\npackage p\n", 1},
		{"package p\n\n// About.\n\nimport \"fmt\"\n", 3},
		{"package p\n\nimport \"fmt\"\n\n// About.\n\nvar x = fmt.Print\n", 5},
		{"package p\n\n// About.\n\n// X is.\nvar X int\n", 3},
		{"package p // short\n\nimport (\n\t\"fmt\"\n\t// Why.\n\t_ \"embed\"\n)\n\n//go:generate x\n\nvar _ = fmt.Print\n", 0},
		{"package p\n\n// " + wide + "\nvar x int\n", 3},
		{"package p\n\nvar x int // " + wide + "\n", 3},
		{"package p\n\n/*\n" + wide + wide + "\n*/\nvar x int\n", 4},
		{"package p\n\n// https://example.com/" + wide + "\n//\n//\t" + wide + wide + "\nvar x = `//" + wide + wide + "`\n", 0},
		{"// Code generated by x. DO NOT EDIT.\n\npackage p\n\n// About " + wide + wide + "\n", 0},
	} {
		faults, err := styleFaults("x.go", []byte(test.text))
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case test.want == 0 && len(faults) > 0:
			t.Errorf("%q: %q, want no fault", test.text, faults)
		case test.want > 0 && (len(faults) != 1 || !strings.HasPrefix(faults[0], fmt.Sprintf("x.go:%d: ", test.want))):
			t.Errorf("%q: %q, want one fault in line %d", test.text, faults, test.want)
		}
	}
}
