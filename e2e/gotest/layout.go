package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// modulePath is the module that the programs are laid out in, a package or
// directory of packages each.
const modulePath = "example.com/gotest"

// pkgName returns the name of a program's package, and of its binary.
func (s *subject) pkgName() string {
	return strings.ReplaceAll(s.name, "/", "_")
}

// layOut writes the program's files into the module at dir, or, if it brings a
// module of its own, into one below dir. They keep their names, by which some
// find themselves in what the runtime says.
func (s *subject) layOut(root, dir string) error {
	source := filepath.Join(root, filepath.FromSlash(s.name))
	target := filepath.Join(dir, s.pkgName())
	switch s.action {
	case "rundir", "errorcheckandrundir":
		return layOutPackages(source+".dir", target, modulePath+"/"+s.pkgName())
	case "runindir":
		if err := os.CopyFS(target, os.DirFS(source+".dir")); err != nil {
			return err
		}
		return writeFile(filepath.Join(target, "go.mod"), fmt.Appendf(nil, "module %s\n\ngo %s\n", filepath.Base(source)+".dir", cmp.Or(s.release, "1.14")))
	case "buildrundir":
		return os.CopyFS(target, os.DirFS(source+".dir"))
	}
	text := s.text
	if text == nil {
		var err error
		if text, err = os.ReadFile(source + ".go"); err != nil {
			return err
		}
	}
	if err := writeFile(filepath.Join(target, filepath.Base(source)+".go"), text); err != nil {
		return err
	}
	for _, name := range s.more {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(source), name))
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(target, name), text); err != nil {
			return err
		}
	}
	return nil
}

// layOutPackages makes packages of the files of a directory, as Go's own test
// does: files of one package clause are one, which the others import by the name
// of its first file, as "./a". The last one is the program.
func layOutPackages(source, target, path string) error {
	files, err := filepath.Glob(filepath.Join(source, "*.go"))
	if err != nil {
		return err
	}
	folder := map[string]string{} // by the name in the package clause
	last := ""
	type sourceFile struct {
		name, pkg string
		text      []byte
	}
	var sources []sourceFile
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		pkg, text, err := absoluteImports(text, path)
		if err != nil {
			return err
		}
		if _, ok := folder[pkg]; !ok {
			folder[pkg] = strings.TrimSuffix(filepath.Base(file), ".go")
			last = pkg
		}
		sources = append(sources, sourceFile{filepath.Base(file), pkg, text})
	}
	folder[last] = ""
	for _, f := range sources {
		name := f.name
		if base, ok := strings.CutSuffix(name, "_test.go"); ok {
			name = base + "_tests.go" // else the go command takes it for a test
		}
		if err := writeFile(filepath.Join(target, folder[f.pkg], name), f.text); err != nil {
			return err
		}
	}
	return nil
}

// absoluteImports returns a file's package name, and its text with "./a"
// replaced by path/a, and with the names of functions that begin with "test/", as
// Go's own test compiles the packages.
func absoluteImports(text []byte, path string) (string, []byte, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, "", text, parser.ImportsOnly)
	if err != nil {
		return "", nil, err
	}
	for _, spec := range slices.Backward(tree.Imports) { // from the end, so that offsets stay good
		lit := spec.Path
		imported, err := strconv.Unquote(lit.Value)
		if err != nil {
			return "", nil, err
		}
		if rel, ok := strings.CutPrefix(imported, "./"); ok {
			at := fset.PositionFor(lit.Pos(), false).Offset
			text = fmt.Appendf(nil, "%s%q%s", text[:at], path+"/"+rel, text[at+len(lit.Value):])
		}
	}
	return tree.Name.Name, bytes.ReplaceAll(text, []byte(`"test/`), []byte(`"`+path+"/")), nil
}

func writeFile(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o666)
}
