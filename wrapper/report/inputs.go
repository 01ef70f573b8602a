// Inputs: which data directories a report is made of.

package report

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// Inputs are data directories, in an order of their own.
type Inputs struct {
	sources  []source
	problems []Problem // directories that cannot be read
	temp     string    // what Close removes, "" for nothing
}

// A source is one data directory.
type source struct {
	dir  string
	name string // what messages call it
	arg  string // the argument that it was found under
}

// Open finds data directories. Each argument is one, or has some below it, or is "-":
// then an archive of some is read from stdin. Close removes what was unpacked.
func Open(args []string, stdin io.Reader) (*Inputs, error) {
	in := &Inputs{}
	seen := map[string]bool{}
	for _, arg := range args {
		found, err := in.find(arg, stdin)
		if err != nil {
			return nil, errors.Join(err, in.Close())
		}
		for _, s := range found {
			if path := realPath(s.dir); !seen[path] {
				seen[path] = true
				in.sources = append(in.sources, s)
			}
		}
	}
	slices.SortFunc(in.sources, func(a, b source) int { return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.dir, b.dir)) })
	return in, nil
}

// Close removes what Open unpacked.
func (in *Inputs) Close() error {
	if in.temp == "" {
		return nil
	}
	return os.RemoveAll(in.temp)
}

func (in *Inputs) find(arg string, stdin io.Reader) ([]source, error) {
	if arg == "-" {
		return in.unpack(stdin)
	}
	found := in.search(nil, arg, arg)
	if len(found) == 0 {
		found = []source{{arg, arg, arg}} // whoever reads it says what is wrong
	}
	return found, nil
}

// search appends the data directories at and below dir. A link is followed if it leads to
// a data directory, and no further: links may lead in a circle, or to everything.
func (in *Inputs) search(found []source, dir, arg string) []source {
	found, list := in.look(found, dir, arg)
	for _, e := range list {
		sub := filepath.Join(dir, e.Name())
		switch {
		case e.IsDir():
			found = in.search(found, sub, arg)
		case e.Type()&fs.ModeSymlink != 0 && isDir(sub):
			found, _ = in.look(found, sub, arg)
		}
	}
	return found
}

// look appends a directory if it has data, and returns what is in it.
func (in *Inputs) look(found []source, dir, arg string) ([]source, []fs.DirEntry) {
	list, err := os.ReadDir(dir)
	if err != nil && dir != arg && filepath.Base(dir) != "lost+found" { // of a volume
		in.problems = append(in.problems, Problem{File: dir, Kind: Unreadable, Err: withoutPath(err)})
	}
	if slices.ContainsFunc(list, isDataFile) {
		found = append(found, source{dir, dir, arg})
	}
	return found, list
}

// isDir reports whether a name, or what it is a link to, is a directory.
func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// realPath returns a name of a directory that is the same for all its names.
func realPath(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return dir
}

// Read joins what is in all directories. Data that are there twice count once: those of a
// process, and those of a file and its copy.
func (in *Inputs) Read(filter Filter) (*Report, error) {
	now, boot := time.Now(), datafile.BootID()
	var list []*data
	entries := map[string][][]entry{}
	for _, s := range in.sources {
		d := newData(s.dir, now, boot)
		d.name, d.filter, d.entries = s.name, filter, entries
		for _, other := range in.sources {
			if other.dir != s.dir {
				d.elsewhere = append(d.elsewhere, other.dir)
			}
		}
		list = append(list, d)
	}
	for _, d := range list {
		if err := d.gather(); err != nil {
			return nil, err
		}
	}
	if err := in.check(list); err != nil {
		return nil, err
	}
	r := joinAll(list)
	r.Problems = append(r.Problems, in.problems...)
	sortProblems(r.Problems)
	return r, nil
}

// check returns an error if an argument has no data, or nothing is selected.
func (in *Inputs) check(list []*data) error {
	has, selected := map[string]bool{}, false
	var others []datafile.Identity
	for i, d := range list {
		arg := in.sources[i].arg
		has[arg] = has[arg] || d.hasData()
		selected = selected || d.selected
		others = append(others, d.others...)
	}
	var args []string
	for i := range in.sources {
		arg := in.sources[i].arg
		switch {
		case !has[arg] && arg == "-":
			return fmt.Errorf("no data of a process in standard input: %s", whatToPipe)
		case !has[arg]:
			return fmt.Errorf("no data of a process in %q: %s", arg, whatToDo)
		case !slices.Contains(args, arg):
			args = append(args, arg)
		}
	}
	if !selected && len(others) > 0 {
		return nothingSelected(list[0].filter, args, others)
	}
	return nil
}

// joinAll joins what was gathered in several directories.
func joinAll(list []*data) *Report {
	marks := map[string]*marks{} // the hits file of a process may be in a copy
	for _, d := range list {
		maps.Copy(marks, d.marks)
	}
	dropCopies(list)
	for _, d := range list {
		d.allMarks = marks
		for i := range d.files {
			d.addProcesses(&d.files[i])
		}
	}
	for _, d := range list {
		d.addMarked() // what is in no file of any directory
	}
	for _, d := range list[1:] {
		list[0].absorb(d)
	}
	return list[0].join()
}

// A copyKey is what a file and its copies have in common.
type copyKey struct {
	name    string
	created int64
	id      datafile.Identity
	first   *entry
}

func (f *hitsFile) copyKey() copyKey {
	return copyKey{datafile.HitsName(filepath.Base(f.path)), f.created, f.id, f.c.first()}
}

// A recordKey is what records of one process have in common.
type recordKey struct {
	process string
	first   *entry
}

// first returns the first function, nil without any. Codebases with the same functions
// share it, those with others do not: then what was called counts for both.
func (c *codebase) first() *entry {
	if len(c.entries) == 0 {
		return nil
	}
	return &c.entries[0]
}

// drop leaves the processes of a file to another one.
func (f *hitsFile) drop() { f.sums, f.list = datafile.Totals{}, nil }

// dropCopies leaves each process in one file only. Of copies of a file the latest one
// counts: in it, some of the processes of the others may be in the sums. Machines that began
// as one image have files that look like copies, and each has processes of its own.
func dropCopies(list []*data) {
	best := map[copyKey][]*hitsFile{}
	joined := map[copyKey]bool{}
	for _, d := range list {
		for i := range d.joined {
			joined[d.joined[i].copyKey()] = true
		}
		before := len(d.files)
		d.countJoined()
		for i := range d.files[before:] {
			delete(joined, d.files[before+i].copyKey())
		}
	}
	for _, d := range list {
		for i := range d.files {
			f := &d.files[i]
			k := f.copyKey()
			if joined[k] { // a shared file has its process
				f.drop()
				continue
			}
			at := slices.IndexFunc(best[k], func(b *hitsFile) bool { return f.follows(b) || b.follows(f) })
			switch {
			case at < 0:
				best[k] = append(best[k], f)
			case f.knowsMore(best[k][at]):
				best[k][at].drop()
				best[k][at] = f
			default:
				f.drop()
			}
		}
	}
	latest := map[recordKey]*datafile.Process{}
	for _, d := range list {
		for i := range d.files {
			f := &d.files[i]
			for n := range f.list {
				p := &f.list[n]
				k := recordKey{p.UUID, f.c.first()}
				if b := latest[k]; b == nil || cmp.Or(cmp.Compare(p.Writes, b.Writes), cmp.Compare(p.SeenAt, b.SeenAt)) > 0 {
					latest[k] = p
				}
			}
		}
	}
	for _, d := range list {
		for i := range d.files {
			f := &d.files[i]
			var kept []datafile.Process
			for n := range f.list {
				if p := &f.list[n]; p.UUID == "" || latest[recordKey{p.UUID, f.c.first()}] == p {
					kept = append(kept, *p)
				}
			}
			f.list = kept
		}
	}
}

// follows reports whether f may be a later copy of a file than other: then the processes that
// are missing in it are in its sums.
func (f *hitsFile) follows(other *hitsFile) bool {
	has := map[string]bool{}
	for i := range f.list {
		has[f.list[i].UUID] = true
	}
	summed := other.sums
	for i := range other.list {
		if p := &other.list[i]; p.UUID != "" && !has[p.UUID] {
			summed.Processes++
			if p.State == datafile.Lossy {
				summed.Lossy++
			}
		}
	}
	return summed.Processes <= f.sums.Processes && summed.Lossy <= f.sums.Lossy
}

// knowsMore reports whether f is a later copy of a file than other.
func (f *hitsFile) knowsMore(other *hitsFile) bool {
	writes := func(f *hitsFile) (n uint64, seen int64) {
		for i := range f.list {
			n += f.list[i].Writes
			seen = max(seen, f.list[i].SeenAt)
		}
		return n, seen
	}
	processes := func(f *hitsFile) uint64 { return f.sums.Processes + uint64(len(f.list)) }
	n, seen := writes(f)
	m, otherSeen := writes(other)
	return cmp.Or(cmp.Compare(processes(f), processes(other)), cmp.Compare(f.sums.Processes, other.sums.Processes), cmp.Compare(n, m), cmp.Compare(seen, otherSeen)) > 0
}

// absorb adds what was gathered in another directory.
func (d *data) absorb(other *data) {
	d.problems = append(d.problems, other.problems...)
	d.processes.add(&other.processes)
	d.others = append(d.others, other.others...)
	d.unseen = append(d.unseen, other.unseen...)
	for name, c := range other.byFile {
		fingerprint, _ := datafile.CodebaseFingerprint(name)
		same := d.sameCodebase(fingerprint, c)
		if same == nil {
			d.byFile[filepath.Join(other.dir, name)] = c
			continue
		}
		same.absorb(c)
	}
}

// sameCodebase returns a codebase with the same functions, and with the same ones that it
// does not list, nil if there is none.
func (d *data) sameCodebase(fingerprint string, c *codebase) *codebase {
	if c.err != nil {
		return nil
	}
	for _, same := range d.byFile {
		if f, _ := datafile.CodebaseFingerprint(same.file); f == fingerprint && same.err == nil && same.unlisted == c.unlisted && slices.Equal(same.entries, c.entries) {
			return same
		}
	}
	return nil
}

// absorb adds what other processes called of the same functions.
func (c *codebase) absorb(other *codebase) {
	for i, at := range other.last {
		c.last[i] = max(c.last[i], at)
	}
	for environment, set := range other.calledIn {
		if c.calledIn[environment] == nil {
			c.calledIn[environment] = new(numberSet)
		}
		c.calledIn[environment].union(*set)
	}
	for i, unknown := range other.unknown {
		if unknown {
			c.nothingKnown(i)
		}
	}
	c.processes = append(c.processes, other.processes...)
}
