// Merging: the data files of several directories become those of one.

package report

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// Merged is what Merge did.
type Merged struct {
	Read      int // hits files
	Written   int // of them
	Codebases int // written
	Problems  []Problem
}

// copied is a codebase that was copied.
type copied struct {
	sum       []byte
	functions int
}

// Merge writes into a directory what the data files in others say. The directory must be
// empty, or not be there. The others stay as they are, except that killed processes of this
// machine are recovered. A damaged file is named, now and by whoever reads the result: what
// is unknown in the others is unknown there.
func Merge(out string, dirs []string) (*Merged, error) {
	var each []string
	seen := map[string]bool{}
	for _, dir := range dirs {
		if _, err := listFiles(dir); err != nil {
			return nil, err
		}
		if path := realPath(dir); !seen[path] {
			seen[path] = true
			each = append(each, dir)
		}
	}
	if err := makeEmpty(out); err != nil {
		return nil, err
	}
	m := &merging{out: out, codebases: map[string]copied{}, counted: map[string]*datafile.Counted{}, result: &Merged{}}
	list, err := m.count(each)
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		m.d = d
		if err := m.add(d.dir); err != nil {
			return nil, err
		}
	}
	written, err := listFiles(out)
	if err != nil {
		return nil, err
	}
	if m.result.Read == 0 && len(written.hits) == 0 {
		for _, name := range written.codebases {
			_ = os.Remove(filepath.Join(out, name))
		}
		_ = os.Remove(out)
		return nil, fmt.Errorf("no data of a process in %q: %s", strings.Join(dirs, " "), whatToDo)
	}
	sortProblems(m.result.Problems)
	m.result.Written, m.result.Codebases = len(written.hits), len(written.codebases)
	return m.result, nil
}

// makeEmpty makes sure that there is a directory with nothing in it.
func makeEmpty(dir string) error {
	list, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return os.MkdirAll(dir, 0o700)
	case err != nil:
		return err
	case len(list) > 0:
		return fmt.Errorf("%q is not empty: name a directory that does not exist yet", dir)
	}
	return nil
}

// A merging is one run of Merge.
type merging struct {
	out       string
	d         *data             // the directory that is read
	codebases map[string]copied // those in out, by fingerprint
	counted   map[string]*datafile.Counted
	result    *Merged
}

// count finds the processes in the directories, and in which file each of them counts: a
// backup beside a file, or in another directory, has many that the file has, too.
func (m *merging) count(dirs []string) (list []*data, err error) {
	for _, dir := range dirs {
		files, err := listFiles(dir)
		if err != nil {
			return nil, err
		}
		d := newData(dir, time.Now(), "")
		d.readMarks(files.users)
		if files, err = listFiles(dir); err != nil { // what was recovered may be in a new one
			return nil, err
		}
		for _, name := range files.hits {
			d.addRecords(name)
		}
		list = append(list, d)
	}
	dropCopies(list)
	for _, d := range list {
		for _, f := range d.joined { // mostly a shared file has its process
			m.counted[f.path] = &datafile.Counted{}
		}
		for _, f := range d.files {
			m.counted[f.path] = &datafile.Counted{Sums: f.sums, Processes: f.list}
		}
	}
	return list, nil
}

// addRecords adds the processes of a hits file, and says what is wrong with their records.
// addFile does that for stamps.
func (d *data) addRecords(name string) {
	path := filepath.Join(d.dir, name)
	r, err := datafile.OpenHits(path)
	if err != nil {
		return
	}
	defer r.Close()
	f := newHitsFile(path, r, &codebase{})
	recordsErr, _ := f.read(r, d.future, func(int, int64, datafile.State) {})
	if recordsErr != nil {
		d.problem(path, Damaged, recordsErr)
	}
	if recordsErr != nil && f.hasProcess() {
		// So that the report on the result is not complete. How long it ran, nobody knows.
		f.list = append(f.list, datafile.Process{StartedAt: f.created, SeenAt: f.created, State: datafile.Lossy})
	}
	d.addHits(f, r.Joined, recordsErr)
}

// add adds the files of one directory. The error is for what cannot be written, or for a
// directory that cannot be read.
func (m *merging) add(dir string) error {
	files, err := listFiles(dir)
	if err != nil {
		return err
	}
	for range 2 { // as in Read
		for _, name := range files.hits {
			if m.d.read[name] {
				continue
			}
			m.d.read[name] = true
			if err := m.addFile(name); err != nil {
				return fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
			}
		}
		if files, err = listFiles(dir); err != nil {
			return err
		}
	}
	for _, marks := range m.d.marks {
		if err := m.addMarks(marks); err != nil {
			return fmt.Errorf("%s: %w", marks.path, err)
		}
	}
	for _, name := range files.codebases {
		// Those that no hits file asked for.
		if fingerprint, _ := datafile.CodebaseFingerprint(name); m.codebases[fingerprint].sum == nil && !m.d.named[name] {
			file, err := datafile.Open(filepath.Join(dir, name), os.O_RDONLY, 0)
			if err := m.copyCodebase(file, err, name, fingerprint); err != nil {
				return err
			}
		}
	}
	m.result.Problems = append(m.result.Problems, m.d.problems...)
	return nil
}

// addFile adds a hits file, and the codebase that it names.
func (m *merging) addFile(name string) error {
	path := filepath.Join(m.d.dir, name)
	r, err := datafile.OpenHits(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // joined long enough ago
	}
	m.result.Read++
	if err != nil {
		m.d.problem(path, kindOf(err), withoutPath(err))
		return m.keep(path)
	}
	defer r.Close()
	if err := m.addCodebase(codebaseKey{r.Fingerprint, r.Owner(), r.UID}); err != nil {
		return err
	}
	if !m.agrees(path, &r.Identity) {
		return m.keep(path)
	}
	var damage datafile.DamageError
	err = datafile.Merge(path, m.out, 0, m.counted[path])
	if errors.As(err, &damage) {
		m.d.problem(path, Damaged, damage)
		return nil
	}
	return err
}

// agrees reports whether a file has as many functions as its codebase: what it claims must
// not decide how much is written.
func (m *merging) agrees(path string, id *datafile.Identity) bool {
	c := m.codebases[id.Fingerprint]
	if c.sum == nil || c.functions == id.Functions {
		return true
	}
	m.d.problem(path, Damaged, fmt.Errorf("damaged: %d functions, but its codebase lists %d", id.Functions, c.functions))
	return false
}

// keep copies a file that makes no sense: whoever reads the result must see that
// something is missing.
func (m *merging) keep(path string) error {
	const most = 1 << 20 // there is nothing in it to be had
	file, err := datafile.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return nil
	}
	defer file.Close()
	content, err := io.ReadAll(io.NewSectionReader(file, 0, most))
	if err != nil {
		return nil
	}
	name := fmt.Sprintf("hits-%x-damaged.hits", sha256.Sum256(append([]byte(path), content...)))
	return os.WriteFile(filepath.Join(m.out, name), content, 0o600)
}

// addMarks adds the calls of a process that lives, or that could not be recovered.
func (m *merging) addMarks(marks *marks) error {
	if err := m.addCodebase(codebaseKey{marks.Fingerprint, marks.UID, marks.UID}); err != nil {
		return err
	}
	if !m.agrees(marks.path, &marks.Identity) {
		return m.keep(marks.path)
	}
	p := marks.Record()
	p.Marks = marks.path
	switch {
	case marks.alive:
		p.State = datafile.Running
	case marks.damaged:
		p.State = datafile.Lossy
	}
	store := datafile.Store{Dir: m.out, Identity: marks.Identity, Wait: time.Second, Mine: true}
	_, err := store.Update(&datafile.Update{Process: p, Calls: func(yield func(int, int64) bool) {
		for _, i := range marks.Calls {
			if !yield(i, marks.At) {
				return
			}
		}
	}})
	return err
}

// addCodebase adds the codebase that hits files name.
func (m *merging) addCodebase(key codebaseKey) error {
	if m.d.codebases[key] != nil {
		return nil
	}
	m.d.codebases[key] = &codebase{}
	file, err := openCodebase(m.d.dir, key)
	name := datafile.CodebaseName(key.fingerprint, -1)
	if err == nil {
		name = filepath.Base(file.Name())
	}
	return m.copyCodebase(file, err, name, key.fingerprint)
}

// copyCodebase copies a codebase file that was opened, if it is whole.
func (m *merging) copyCodebase(file *os.File, openErr error, name, fingerprint string) error {
	path := filepath.Join(m.d.dir, name)
	m.d.named[name] = true
	if openErr != nil {
		kind := kindOf(openErr)
		if kind == NoCodebase {
			openErr = errors.New("it is missing, so the calls of its build do not count; the next process of the same build writes it")
		}
		m.d.problem(path, kind, withoutPath(openErr))
		return nil
	}
	defer file.Close()
	sum, functions := sha256.New(), 0
	if _, err := datafile.ReadCodebase(io.TeeReader(file, sum), fingerprint, func(*datafile.Function) error { functions++; return nil }); err != nil {
		m.d.problem(path, kindOf(err), withoutPath(err))
		return nil
	}
	if known := m.codebases[fingerprint].sum; known != nil {
		if !bytes.Equal(known, sum.Sum(nil)) {
			m.d.problem(path, NotBelieved, errors.New("it is another one than in a directory before, of the same name: it is left out"))
		}
		return nil
	}
	m.codebases[fingerprint] = copied{sum.Sum(nil), functions}
	store := datafile.Store{Dir: m.out, Mine: true}
	to := filepath.Join(m.out, datafile.CodebaseName(fingerprint, -1))
	return store.Replace(to, fmt.Sprint(os.Getpid()), func(w io.Writer) error {
		again := sha256.New()
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.Copy(io.MultiWriter(w, again), file); err != nil {
			return err
		}
		if !bytes.Equal(again.Sum(nil), sum.Sum(nil)) {
			return fmt.Errorf("%s changed while it was read", path)
		}
		return nil
	})
}
