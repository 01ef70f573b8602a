// go.mod and go.work as the go command reads them: -modfile names another go.mod,
// and -overlay other content for any file.

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
	overlay map[string]string // -overlay: the file that is read for another; "" if that is gone
}

// newModFiles says nothing of a flag that is wrong: the go command does.
func newModFiles(from Source) modFiles {
	f := modFiles{overlay: map[string]string{}}
	abs := func(name string) string {
		if name == "" || filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(from.Dir, name)
	}
	f.modFile = abs(from.ModFile)
	if from.Overlay == "" {
		return f
	}
	text, err := os.ReadFile(abs(from.Overlay))
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

// findUp returns the path of the file of that name in dir or the nearest
// parent that has one, "" if none has.
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

// A mainModule is a main module with what its go.mod says.
type mainModule struct {
	path     string
	dir      string
	mod      *modfile.File // without replace and the like; nil if it has mistakes
	replaces []*modfile.Replace
}

// module reads the go.mod of a directory, or file in its place.
func (f modFiles) module(dir, file string) (*mainModule, error) {
	text, err := f.read(file)
	if err != nil {
		return nil, err
	}
	m := &mainModule{dir: dir}
	// What a later release of Go adds is no mistake to ParseLax, which leaves out
	// replace for that. What is one, the go command says.
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

// replacesOf returns the replacements that a file has.
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
