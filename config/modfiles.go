// Reading go.mod and go.work as the go command does. Its flag -modfile names another file
// in place of go.mod, and -overlay replaces the content of any file.

package config

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
)

// modFiles reads go.mod and go.work.
type modFiles struct {
	modFile string            // -modfile, absolute; "" for none
	overlay map[string]string // -overlay: file to replacement; "" if the file is removed
}

// newModFiles returns the files as the flags in from want them read. It ignores a flag
// that is wrong, because the go command reports it.
func newModFiles(from Source) modFiles {
	f := modFiles{overlay: map[string]string{}}
	abs := func(name string) string {
		if name == "" || filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(from.Dir, name)
	}
	f.modFile = abs(from.ModFile)
	file := abs(from.Overlay)
	if file == "" {
		return f
	}
	// What comes through a pipe, as from the shell's <(…), is the go command's alone.
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
		return f
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return f
	}
	var overlay struct{ Replace map[string]string }
	if err := json.Unmarshal(text, &overlay); err != nil {
		return f
	}
	for file, by := range overlay.Replace {
		f.overlay[filepath.Clean(abs(file))] = abs(by)
	}
	return f
}

func (f modFiles) read(file string) ([]byte, error) {
	if by, ok := f.overlay[file]; ok {
		if by == "" {
			return nil, &fs.PathError{Op: "open", Path: file, Err: fs.ErrNotExist}
		}
		file = by
	}
	return os.ReadFile(file)
}

func (f modFiles) has(file string) bool {
	if by, ok := f.overlay[file]; ok {
		return by != ""
	}
	info, err := os.Stat(file)
	return err == nil && !info.IsDir()
}

// findUp looks for a file called name in dir and its parents. It returns the path of the
// nearest, or "".
func (f modFiles) findUp(dir, name string) string {
	for {
		file := filepath.Join(dir, name)
		if f.has(file) {
			return file
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// A mainModule is a main module and the content of its go.mod.
type mainModule struct {
	path     string
	dir      string
	mod      *modfile.File // without replace directives; nil if go.mod does not parse
	replaces []*modfile.Replace
}

// module reads the main module in dir, whose go.mod is file.
func (f modFiles) module(dir, file string) (*mainModule, error) {
	text, err := f.read(file)
	if err != nil {
		return nil, err
	}
	m := &mainModule{dir: dir}
	// ParseLax accepts directives of later releases of Go, but it skips replace. The go
	// command reports other errors.
	if m.mod, err = modfile.ParseLax(file, text, nil); err != nil {
		m.path = modfile.ModulePath(text)
		return m, nil
	}
	if m.mod.Module == nil {
		return nil, errors.New("no module path in " + file)
	}
	m.path = m.mod.Module.Mod.Path
	m.replaces = replacesOf(file, m.mod.Syntax)
	return m, nil
}

// replacesOf returns the replace directives in the syntax of a file.
func replacesOf(file string, syntax *modfile.FileSyntax) []*modfile.Replace {
	var only modfile.FileSyntax
	for _, stmt := range syntax.Stmt {
		switch s := stmt.(type) {
		case *modfile.Line:
			if len(s.Token) > 0 && s.Token[0] == "replace" {
				only.Stmt = append(only.Stmt, s)
			}
		case *modfile.LineBlock:
			if len(s.Token) > 0 && s.Token[0] == "replace" {
				only.Stmt = append(only.Stmt, s)
			}
		}
	}
	if len(only.Stmt) == 0 {
		return nil
	}
	mod, err := modfile.Parse(file, modfile.Format(&only), nil)
	if err != nil {
		return nil
	}
	return mod.Replace
}
