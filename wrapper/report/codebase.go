// Codebases: the functions of a build, and what is known of them.

package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// A codebase is one build: its functions, and what its processes say of them.
type codebase struct {
	file      string // its name
	err       error  // why it cannot be used; the rest is empty then
	kind      Kind   // of that
	entries   []entry
	main      string                // import path of the main package, empty if that is not marked
	mainFile  string                // with func main
	numbers   []int                 // of the functions, if builds are compared
	last      []int64               // the latest stamp of each function, 0 if there is none
	calledIn  map[string]*numberSet // the functions that were called in an environment
	unknown   []bool                // functions with a damaged stamp, nil if there is none
	processes []process             // whose hits are in last

	unlisted string // which functions of the build are not in entries
}

// An entry is one line of a codebase file, as far as it is of use.
type entry struct {
	Package   string
	Receiver  string
	Name      string
	Signature string
	File      string
	Line      int
	Lines     int
	Reason    string
	Directive string
	Generated bool
	Presumed  int64  // its last call, if it has no mark
	Evidence  string // which knows that
}

// A codebaseKey names a codebase as the hits files of one user do. Two users whose
// codebases have one fingerprint need not believe each other.
type codebaseKey struct {
	fingerprint string
	owner       int // of the hits files
	user        int // whose calls are in them
}

// codebase returns the codebase of hits files, from its file at the first call. It names
// a damaged file, but leaves a missing one to the caller.
func (d *data) codebase(key codebaseKey) *codebase {
	if c, ok := d.codebases[key]; ok {
		return c
	}
	c := d.readCodebase(key)
	d.codebases[key] = c
	return c
}

// readCodebase reads a codebase. Several keys may lead to one file, which is read once.
func (d *data) readCodebase(key codebaseKey) *codebase {
	c := &codebase{file: datafile.CodebaseName(key.fingerprint, -1)}
	file, err := openCodebase(d.dir, key)
	for _, dir := range d.elsewhere {
		if errors.Is(err, fs.ErrNotExist) {
			file, err = openCodebase(dir, key)
		}
	}
	if err != nil {
		c.err, c.kind = withoutPath(err), kindOf(err)
		if c.kind != NoCodebase {
			d.named[c.file] = true
			d.problem(filepath.Join(d.dir, c.file), c.kind, c.err)
		}
		return c
	}
	defer file.Close()
	c.file = filepath.Base(file.Name())
	if same := d.byFile[c.file]; same != nil {
		return same
	}
	d.byFile[c.file] = c
	c.entries, c.unlisted, c.err = readEntries(file, key.fingerprint)
	if c.err != nil {
		c.kind = kindOf(c.err)
		d.problem(filepath.Join(d.dir, c.file), c.kind, c.err)
		return c
	}
	c.entries = d.known(key.fingerprint, c.entries)
	c.last, c.calledIn = make([]int64, len(c.entries)), map[string]*numberSet{}
	for _, e := range c.entries {
		if e.Name == "main" && e.Receiver == "" {
			c.main, c.mainFile = e.Package, e.File
			break
		}
	}
	return c
}

// known returns entries that were read in another directory if they are the same.
func (d *data) known(fingerprint string, entries []entry) []entry {
	for _, others := range d.entries[fingerprint] {
		if slices.Equal(others, entries) {
			return others
		}
	}
	d.entries[fingerprint] = append(d.entries[fingerprint], entries)
	return entries
}

// openCodebase opens the file of a codebase. It believes the owner of the hits files, and
// whoever asks: the files of a copy are his.
func openCodebase(dir string, key codebaseKey) (*os.File, error) {
	file, err := datafile.OpenCodebase(dir, key.fingerprint, key.owner, os.Geteuid())
	if err != nil && key.user != key.owner {
		if other, otherErr := datafile.OpenCodebase(dir, key.fingerprint, key.user, os.Geteuid(), key.owner); otherErr == nil {
			return other, nil
		}
	}
	return file, err
}

// readEntries reads the functions of a codebase file, and which ones it does not list.
// Nothing of it is used unless it is whole: hits are matched with functions by position
// alone.
func readEntries(file *os.File, fingerprint string) (entries []entry, unlisted string, err error) {
	header, err := datafile.ReadCodebase(file, fingerprint, func(f *datafile.Function) error {
		e := entry{f.Package, f.Receiver, f.Name, f.Signature, f.File, f.Line, f.Lines, f.Reason, f.Directive, f.Generated, f.Presumed, f.Evidence}
		if n := len(entries); n > 0 { // names that repeat need not be there twice
			last := &entries[n-1]
			e.Package, e.File, e.Receiver = reused(e.Package, last.Package), reused(e.File, last.File), reused(e.Receiver, last.Receiver)
			e.Evidence = reused(e.Evidence, last.Evidence)
		}
		entries = append(entries, e)
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	return entries, header.Unlisted, nil
}

// reused returns last if it is the same text.
func reused(text, last string) string {
	if text == last {
		return last
	}
	return text
}

// unused reads the codebases that no hits file asked for: damage in them is worth
// knowing, too.
func (d *data) unused(names []string) {
	for _, name := range names {
		fingerprint, ok := datafile.CodebaseFingerprint(name)
		if !ok || d.byFile[name] != nil || d.named[name] {
			continue
		}
		c := &codebase{file: name}
		file, err := datafile.Open(filepath.Join(d.dir, name), os.O_RDONLY, 0)
		if err == nil {
			c.entries, _, err = readEntries(file, fingerprint)
			_ = file.Close()
		}
		switch {
		case err == nil:
			d.unseen = append(d.unseen, name)
		case !errors.Is(err, fs.ErrNotExist):
			d.problem(filepath.Join(d.dir, name), kindOf(err), withoutPath(err))
		}
	}
}

// remedy says what became of a codebase that cannot be used, and how to get it
// back: a process writes its codebase if there is none, and then the hits that
// earlier processes of the same build left count again.
func (c *codebase) remedy() string {
	switch c.kind {
	case NewerFormat:
		return "is of a newer format"
	case NotBelieved:
		return "belongs to another user, and might give them other names"
	case Unreadable:
		return "cannot be read"
	case Damaged:
		return "is unusable; remove it, and the next process of the same build writes it anew"
	}
	return "is missing; the next process of the same build writes it"
}

// check returns why the calls of hits files with a header do not count, nil if they do.
func (c *codebase) check(h *datafile.Header) (Kind, error) {
	switch {
	case c.err != nil:
		return c.kind, fmt.Errorf("its calls do not count: %s, which lists its functions, %s", c.file, c.remedy())
	case h.Functions != len(c.entries):
		return Damaged, fmt.Errorf("damaged: %d functions, but %s lists %d", h.Functions, c.file, len(c.entries))
	}
	return "", nil
}

// called notes a call of a function in an environment, none if at is 0. What processes say
// of a function without a mark they have from the evidence.
func (c *codebase) called(i int, at int64, environment string) {
	if at <= c.entries[i].Presumed {
		return
	}
	c.last[i] = max(c.last[i], at)
	set := c.calledIn[environment]
	if set == nil {
		set = new(numberSet)
		c.calledIn[environment] = set
	}
	set.add(i)
}

// nothingKnown notes that nothing is known about a function.
func (c *codebase) nothingKnown(i int) {
	if c.unknown == nil {
		c.unknown = make([]bool, len(c.entries))
	}
	c.unknown[i] = true
}

// An identity is what makes two entries the same function: the hash of the
// collector stands for the same three things.
type identity struct{ pkg, base, name string }

func (e *entry) identity() identity {
	return identity{e.Package, strings.TrimPrefix(e.Receiver, "*"), e.Name}
}
