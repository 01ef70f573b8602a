// The source that the page shows: files of the checkout that are what was built.

package html

import (
	"cmp"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// A sourceState says whether a file is shown, and if not, why.
type sourceState string

const (
	sourceShown   sourceState = "shown"
	sourceNone    sourceState = "none"    // the checkout does not have it
	sourceDiffers sourceState = "differs" // its functions stand elsewhere than those of the build
	sourceLimit   sourceState = "limit"   // the page would be too large
)

const (
	maxSource = 8 << 20 // bytes of text in a page
	maxFile   = 2 << 20
)

// A Source is the checkout of a module or a workspace.
type Source struct {
	roots   []*os.Root // where paths of files may begin
	modules []string   // that the checkout has
}

// OpenSource returns the checkout that a directory is in. The error is
// [errors.ErrUnsupported] if it is in none.
func OpenSource(dir string) (*Source, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	s := &Source{}
	for _, name := range []string{"go.mod", "go.work"} {
		root := above(dir, name)
		if root == "" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		if name == "go.mod" {
			s.modules = append(s.modules, modfile.ModulePath(text))
		} else {
			s.modules = append(s.modules, workspace(root, text)...)
		}
		r, err := os.OpenRoot(root)
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.roots = append(s.roots, r)
	}
	if s.roots == nil {
		return nil, errors.ErrUnsupported
	}
	return s, nil
}

// Close closes the directories.
func (s *Source) Close() error {
	var errs []error
	for _, r := range s.roots {
		errs = append(errs, r.Close())
	}
	return errors.Join(errs...)
}

// above returns the directory at or above dir that has a file, "" if there is none.
func above(dir, name string) string {
	for {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// workspace returns the paths of a workspace's modules.
func workspace(root string, text []byte) (modules []string) {
	work, err := modfile.ParseWork("go.work", text, nil)
	if err != nil {
		return nil // the go command says what is wrong with it
	}
	for _, use := range work.Use {
		dir := filepath.FromSlash(use.Path)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(root, dir)
		}
		if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil {
			modules = append(modules, modfile.ModulePath(text))
		}
	}
	return modules
}

// A sourceFile is a file of the report: a run of its functions.
type sourceFile struct {
	number    int
	functions []report.Function
	dead      int // lines
}

// read returns for each file of a report whether it is shown, and the texts of those that
// are. What is never called comes first, the most lines of it before others.
func (s *Source) read(r *report.Report, sizes []int) ([]sourceState, map[int]string) {
	states, texts := make([]sourceState, len(sizes)), map[int]string{}
	list := make([]sourceFile, len(sizes))
	rest := r.Functions
	for i, n := range sizes {
		list[i] = sourceFile{number: i, functions: rest[:n]}
		rest = rest[n:]
		for k := range n {
			if f := &list[i].functions[k]; f.Status == report.NeverCalled {
				list[i].dead += max(1, f.Lines)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b sourceFile) int { return cmp.Compare(b.dead, a.dead) })
	total := 0
	for _, file := range list {
		text, state := s.readFile(file.functions)
		if state == sourceShown && total+len(text) > maxSource {
			state = sourceLimit
		}
		states[file.number] = state
		if state == sourceShown {
			texts[file.number] = text
			total += len(text)
		}
	}
	return states, texts
}

// readFile returns the text of the file with some functions.
func (s *Source) readFile(functions []report.Function) (string, sourceState) {
	if s == nil {
		return "", sourceNone
	}
	name, ok := s.name(&functions[0])
	if !ok {
		return "", sourceNone
	}
	state := sourceNone
	for _, root := range s.roots {
		text, found := readRegular(root, name)
		switch {
		case !found:
			continue
		case len(text) > maxFile:
			state = sourceLimit
		case isBuilt(text, functions):
			return text, sourceShown
		case state == sourceNone:
			state = sourceDiffers
		}
	}
	return "", state
}

// name returns the path of a function's file in the checkout. Names are those of data that
// somebody else may have written.
func (s *Source) name(f *report.Function) (string, bool) {
	file := f.File
	i := slices.IndexFunc(s.modules, func(m string) bool {
		return m != "" && (f.Module == m || f.Module == "" && strings.HasPrefix(file, m+"/"))
	})
	switch {
	case i < 0:
		return "", false
	case f.Module == "":
		file = file[len(s.modules[i])+1:]
	}
	return filepath.FromSlash(file), path.Ext(file) == ".go" && filepath.IsLocal(file)
}

// readRegular reads a file. A root keeps links from leading out of it.
func readRegular(root *os.Root, name string) (string, bool) {
	if info, err := root.Stat(name); err != nil || !info.Mode().IsRegular() {
		return "", false // a pipe would never end
	}
	file, err := root.Open(name)
	if err != nil {
		return "", false
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	return string(text), err == nil
}

// isBuilt reports whether all functions stand in a text where the report has them.
func isBuilt(text string, functions []report.Function) bool {
	lines := strings.Split(text, "\n")
	for i := range functions {
		if !standsIn(lines, &functions[i]) {
			return false
		}
	}
	return true
}

// standsIn reports whether a function begins and ends where the report has it. A literal has
// a name with a dot, and may begin anywhere in a line.
func standsIn(lines []string, f *report.Function) bool {
	end := f.Line + max(1, f.Lines) - 1
	if f.Line < 1 || end > len(lines) {
		return false
	}
	first, last := lines[f.Line-1], lines[end-1]
	// What is not observable may have no body.
	if f.Lines > 1 && !strings.Contains(last, "}") && f.Status != report.NotObservable {
		return false
	}
	if strings.Contains(f.Name, ".") {
		return strings.Contains(first, "func")
	}
	rest, ok := strings.CutPrefix(first, "func")
	if !ok {
		return false
	}
	base, _, _ := strings.Cut(strings.TrimPrefix(f.Receiver, "*"), "[")
	return strings.Contains(rest, base) && (strings.Contains(rest, f.Name+"(") || strings.Contains(rest, f.Name+"["))
}
