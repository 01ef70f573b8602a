// Package report answers, from the files that marked programs leave in their
// dataDir, which functions were called and which never were.
//
// # What is joined
//
// A dataDir holds one hits file for each process and one codebase file for each
// build. They may stem from several programs, versions and hosts. A function is
// the same one wherever package, base type of the receiver and name agree: Go
// has no overloading, so a function keeps its history when its parameters, its
// file or its pointer receiver change.
//
// Called wins: a function that any process of any build called is called, and
// its time is the latest one. Where it stands (file, line, signature, receiver)
// is taken from the newest build that has it, of the builds that decide what is
// listed.
//
// # What is listed
//
// Whoever reads a report is about to delete code from today's source. So for
// each program, the build whose process started last decides which functions
// there are; older builds only add what they know about the calls of these. A
// function that the user deleted last week, or that only an older build has which
// runs no more, is not listed: it would stay "never called" for ever. Such functions
// are in [Report.Removed], and the text says how many they are.
//
// A program is an application name together with the package that holds func
// main, because several commands of one module often share the name, and none of
// them replaces another. Programs that are built from single files all have one
// import path, so for them it is the file as well. Two modules may have one name:
// builds are of one program only if an older one called functions of its own, other
// than main, and nothing that the newest lacks, or if they have most of their
// functions in common. Otherwise they are listed as two programs. Nothing is lost by
// that but that functions stay in the list which the user deleted. What the newest
// builds of several programs have is listed together.
//
// An older build that still ran after the first start of the newest one is not gone:
// two variants, of other build tags for instance, may run side by side. What it has
// is listed as well.
//
// A build that no readable process belongs to lists nothing: nobody looked at
// whether its functions are called.
//
// A function that was never called, but could not be observed in one of the
// programs that have it today, is not observable rather than never called: that
// program may call it all day.
//
// # Damage
//
// A data file that is damaged is named in [Report.Problems], and the others
// count. Of a damaged hits file those stamps count that are still good. Damage
// may therefore hide a call, but never without being named.
//
// It may import nothing of ours.
package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A Status is what is known about the calls of a function.
type Status string

const (
	Called        Status = "called"         // by at least one process
	NeverCalled   Status = "never-called"   // by no process, though each would have seen it
	NotObservable Status = "not-observable" // no call is known, and none could be
)

// A Function is one function or method of the programs.
type Function struct {
	Package      string    `json:"package"`            // import path
	Receiver     string    `json:"receiver,omitempty"` // `Server` or `*Server`; "" without one
	Name         string    `json:"name"`
	Signature    string    `json:"signature"` // as the collector shows it
	File         string    `json:"file"`      // as in the codebase, with forward slashes
	Line         int       `json:"line"`
	Status       Status    `json:"status"`
	LastCalledAt time.Time `json:"lastCalledAt,omitzero"` // UTC; zero unless called
	Reason       string    `json:"-"`                     // why it cannot be observed, or ""
}

// A Program is one program that left data.
type Program struct {
	App       string    // its application name
	Main      string    // import path of its main package, empty if unknown
	File      string    // with func main, if it was built from single files
	Processes int       // whose hits could be read, at least in part
	Hosts     int       // that they ran on
	Builds    int       // codebases among them
	From      time.Time // first start of a process
	To        time.Time // last start or call; a process may have lived on without calling anything
}

// A Problem is a data file that does not count in full.
type Problem struct {
	File string // its path
	Err  error  // what is wrong with it
}

func (p Problem) Error() string { return p.File + ": " + p.Err.Error() }

// Unwrap returns what is wrong with the file.
func (p Problem) Unwrap() error { return p.Err }

// A Report is what the data files of one directory say together.
type Report struct {
	Functions []Function // sorted by package, file, line
	// Removed are those that only older builds have, sorted likewise. WriteJSON and
	// WriteText do not write them.
	Removed  []Function
	Programs []Program // sorted by name and main package, several of one name by last start
	Unseen   int       // codebases without a readable process, left out
	Problems []Problem // sorted by file
}

// The names of data files. Anything else in the directory, above all the
// temporary names ending in .tmp, is none of our business.
const (
	codebasePrefix = "codebase-"
	codebaseSuffix = ".json"
	hitsPrefix     = "process-"
	hitsSuffix     = ".hits"
)

// Read joins the data files in dir. Processes may be writing there meanwhile.
//
// The error is for a directory that holds nothing to report. Damaged files are
// no error: they are in the report's Problems, beside what the others say.
func Read(dir string) (*Report, error) {
	codebases, hits, err := dataFiles(dir)
	if err != nil {
		return nil, err
	}
	d := &data{dir: dir, codebases: map[string]*codebase{}}
	for _, name := range hits {
		d.addProcess(name)
	}
	// Codebases are read when a hits file asks for them, by name: one may have
	// appeared after the directory was listed. What is left now belongs to no
	// readable process, but damage in it is still worth knowing.
	for _, name := range codebases {
		fingerprint := strings.TrimPrefix(name, codebasePrefix)
		d.codebase(strings.TrimSuffix(fingerprint, codebaseSuffix))
	}
	return d.join(), nil
}

// whatToDo ends the messages about a directory without data.
const whatToDo = "set SCAVENGER_DATA_DIR to it, run the marked program until it ends, and report again"

// dataFiles lists the names of the data files in dir.
func dataFiles(dir string) (codebases, hits []string, err error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, fmt.Errorf("no directory %q: %s", dir, whatToDo)
	case err != nil:
		return nil, nil, err
	case !info.IsDir():
		return nil, nil, fmt.Errorf("%q is not a directory: name the one that SCAVENGER_DATA_DIR named when the program ran", dir)
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range list {
		name := e.Name()
		switch {
		case e.IsDir():
		case strings.HasPrefix(name, codebasePrefix) && strings.HasSuffix(name, codebaseSuffix):
			codebases = append(codebases, name)
		case strings.HasPrefix(name, hitsPrefix) && strings.HasSuffix(name, hitsSuffix):
			hits = append(hits, name)
		}
	}
	if len(hits) == 0 {
		return nil, nil, fmt.Errorf("no data of a process in %q: %s", dir, whatToDo)
	}
	return codebases, hits, nil
}

// data is what one Read has gathered so far.
type data struct {
	dir       string
	codebases map[string]*codebase // by fingerprint, unusable ones too
	problems  []Problem
}

func (d *data) problem(name string, err error) {
	d.problems = append(d.problems, Problem{File: filepath.Join(d.dir, name), Err: err})
}

// open opens a data file for reading.
func (d *data) open(name string) (*os.File, int64, error) {
	path := filepath.Join(d.dir, name)
	// Looked at before it is opened: opening a named pipe would wait for ever.
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		return nil, 0, withoutPath(err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, withoutPath(err)
	}
	return f, info.Size(), nil
}

// withoutPath strips operation and path from err: a Problem names the file.
func withoutPath(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
