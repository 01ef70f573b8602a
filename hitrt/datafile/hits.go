// Writing hits files.

package datafile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	hitsMagic = "SCAVHIT3"
	preamble  = 16
	format    = 3

	// maxHeader is the longest header that is read. Names in it are clamped to a few
	// hundred bytes.
	maxHeader = 64 << 10
)

// A Header is the header of a hits file.
type Header struct {
	Format int `json:"format"`
	Identity
	Process   string `json:"process,omitempty"` // of a file of one process alone: its UUID
	Stamps    int64  `json:"stamps"`            // S
	Records   int64  `json:"records"`           // R
	CreatedAt int64  `json:"createdAt"`
}

func (h *Header) fields() []field {
	return slices.Concat([]field{{key: "format", value: &h.Format}}, h.Identity.fields(), []field{
		{key: "process", value: &h.Process, optional: true},
		{key: "stamps", value: &h.Stamps},
		{key: "records", value: &h.Records},
		{key: "createdAt", value: &h.CreatedAt},
	})
}

// A Store is the place of the hits file of processes with one identity.
type Store struct {
	Dir      string
	Identity Identity
	Process  string        // if not empty, the file is of this process alone
	Mode     os.FileMode   // of new files
	Wait     time.Duration // for the lock
	Mine     bool          // new files belong to this process's user, whatever Identity says

	// File is the path of the file, if it is not the one that the other fields give: a file
	// that came from another directory.
	File string

	joined    int    // files of the process that others have joined meanwhile
	directory string // ID of the directory, once it is known
	unnamed   bool   // it has none, and can get none
}

// Path returns the name of the file.
func (s *Store) Path() string {
	if s.File != "" {
		return s.File
	}
	if s.directory == "" {
		s.directory = directoryID(s.Dir)
	}
	name := hitsPrefix + s.Identity.key(s.directory)
	if s.Process != "" {
		name += "-" + s.Process
	}
	if s.joined > 0 {
		name += "-" + strconv.Itoa(s.joined)
	}
	return filepath.Join(s.Dir, name+hitsSuffix)
}

// An Update is what one process writes at a time.
type Update struct {
	// Calls are the functions whose stamps are raised, in ascending order, and the times
	// of their calls in Unix milliseconds.
	Calls iter.Seq2[int, int64]

	// All are all calls of the process so far. They are written in place of Calls if the
	// file is new, or not the one of the process's last update.
	All iter.Seq2[int, int64]

	// State is Unsent for calls. With Once and Sent the stamps of Calls say that they were
	// sent, if they are not later than the times there, which do not raise them; with Lost,
	// that they were not. Damaged makes those unknown that say never called.
	State State

	Process *Process // its record

	// Sums and Others are processes whose calls are in Calls as well, when files are
	// joined.
	Sums   Totals
	Others []Process
}

// A Result is what an update found.
type Result struct {
	Replaced bool // the file was not there, or had not this process's last update
	Damaged  int  // damaged stamps and records that were written anew
}

// Update writes to the file. It creates one that is not there, if State is Unsent. Calls
// are in the file when it returns, or the error says why not; then an update may be
// repeated.
func (s *Store) Update(u *Update) (Result, error) {
	var r Result
	f, err := s.open(u.State == Unsent)
	if err != nil {
		return r, err
	}
	defer f.release()
	records, err := readTable(f.File, f.h)
	if err != nil {
		return r, err
	}
	calls := u.Calls
	var own Process
	if u.Process != nil && u.State == Unsent {
		own = *u.Process
		own.Writes++
		written, known := records.update(&own)
		r.Replaced = u.Process.Writes > 0 && (f.created || f.mended || !known || written < u.Process.Writes)
		if (r.Replaced || f.created) && u.All != nil {
			calls = u.All
		}
		if r.Replaced && own.State == Recovered {
			own.State = Lossy // what it wrote before is in a file that is not here
			records.update(&own)
		}
	}
	records.add(u)
	damaged, err := raise(f.File, f.h, calls, u.State)
	if r.Damaged = records.damaged + damaged; f.mended {
		r.Damaged++
	}
	if err != nil || u.State != Unsent {
		return r, err
	}
	// The records come last: they say that the calls are written.
	if err = records.writeTo(f.File, f.h.Records); err == nil && u.Process != nil {
		u.Process.Writes = own.Writes
	}
	return r, err
}

// An opened file is open, locked, whole and in its place.
type opened struct {
	*os.File
	h       *Header
	created bool // it was not there
	mended  bool // its header was damaged, or its end was missing
}

// release unlocks and closes the file. A program that forks without exec leaves the
// descriptor open in the child, which must not keep the lock.
func (f *opened) release() {
	unlock(f.File)
	_ = f.Close()
}

// errAgain says that a file is not where it was, or that another one is to be used.
const errAgain = Error("another file took its place")

// Has reports whether the file has the last update of a process. If that cannot be told,
// it reports that it has.
func (s *Store) Has(p *Process) bool {
	r, err := OpenHits(s.Path())
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	defer r.Close()
	_, processes, err := r.Processes()
	for i := range processes {
		if processes[i].UUID == p.UUID {
			return processes[i].Writes >= p.Writes
		}
	}
	return err != nil
}

// open opens and locks the file. If it is not there, create says whether to create it.
func (s *Store) open(create bool) (*opened, error) {
	f := &opened{}
	var err error
	if create && s.File == "" {
		s.Directory()
	}
	for range 10 { // another process may create or remove it meanwhile
		path := s.Path()
		f.File, err = Open(path, os.O_RDWR, 0)
		if create && errors.Is(err, fs.ErrNotExist) {
			if err = s.create(path); err != nil && !errors.Is(err, fs.ErrExist) {
				return nil, err
			}
			f.created = err == nil
			continue
		}
		if err != nil {
			return nil, err
		}
		err = Lock(f.File, s.Wait)
		if s.Process != "" && (errors.Is(err, ErrNoLocks) || errors.Is(err, ErrBusy)) {
			err = nil // nobody else writes to it
		}
		if err == nil {
			err = s.take(f, path)
		}
		if err == nil {
			return f, nil
		}
		f.release()
		if !errors.Is(err, errAgain) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s: it does not last: %w", s.Path(), err)
}

// take makes sure that a file is the one of this store, and whole.
//
// A damaged header is written again: whoever knows what it said need not lose what
// follows it. A new file in place of the damaged one would say of functions that the
// old one alone knows of that they were never called.
func (s *Store) take(f *opened, path string) error {
	if !isAt(f.File, path) {
		return errAgain
	}
	want := s.header()
	head, err := want.layOut()
	if err != nil {
		return err
	}
	r, err := newReader(f.File)
	switch {
	case err == nil && (r.old != nil || r.Identity != want.Identity || r.Header.Process != want.Process):
		s.setAside(path) // of others, who find it under its new name as well
		return errAgain
	case err == nil && r.Joined && s.Process != "":
		s.joined++ // it will be removed
		return errAgain
	case err == nil && !r.Joined:
		f.h = &r.Header
	default:
		var start [preamble]byte
		if _, err := f.ReadAt(start[:], 0); err != nil && !errors.Is(err, io.EOF) {
			return err // nobody knows whether it is damaged
		}
		b := make([]byte, want.Stamps)
		putPreamble(b, hitsMagic, head)
		if _, err := f.WriteAt(b, 0); err != nil {
			return err
		}
		f.h, f.mended = want, true
	}
	info, err := f.Stat()
	if err == nil && info.Size() < f.h.Records+pageSize {
		f.mended = true
		err = f.Truncate(f.h.Records + pageSize) // zeros are damage
	}
	return err
}

// setAside renames a file, so that a new one takes its place. It keeps the name of a
// hits file.
func (s *Store) setAside(path string) {
	aside := fmt.Sprintf("%s-other-%x%s", strings.TrimSuffix(path, hitsSuffix), time.Now().UnixNano(), hitsSuffix)
	_ = os.Rename(path, aside)
}

// isAt reports whether path is the name of the file.
func isAt(file *os.File, path string) bool {
	own, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(path)
	return err == nil && os.SameFile(own, named)
}
