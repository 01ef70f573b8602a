// Package report answers, from the files that marked programs leave in their
// dataDir, which functions were called and which never were.
//
// # What is joined
//
// A dataDir holds a hits file for the processes of one build, application, host and user
// together, and one codebase file for each build. They may stem from several programs,
// versions and hosts. What processes of this machine called and have not written there
// yet is in their marks files, which are read as well. Functions are the same one if
// package, base type of the receiver and name agree: Go has no overloading, so a function
// keeps its history when its parameters, its file or its pointer receiver change.
//
// Called wins: a function that any process of any build called is called, and
// its time is the latest one. Where it stands (file, line, signature, receiver)
// is taken from the newest build that has it, of the builds that decide what is
// listed.
//
// # What is listed
//
// Whoever reads a report is about to delete code from today's source. So for
// each program, the build that came last, by its first start, decides which functions
// there are; older builds only add what they know about the calls of these. A function
// that only older builds have is not listed if they run no more: the user may have deleted
// it, and it would stay "never called" for ever. Such functions are in [Report.Removed],
// and the text says how many they are.
//
// A program is an application name together with the package that holds func
// main, because several commands of one module often share the name, and none of
// them replaces another. Programs that are built from single files all have one
// import path, so for them it is the file as well. Two modules may have one name:
// builds are of one program only if an older one called functions of its own, other
// than main, and nothing that the newest lacks, or if they have most of their
// functions in common. Otherwise they are listed as two programs. The price is that
// functions which the user deleted may stay in the list. What the newest builds of several
// programs have is listed together.
//
// An older build that still ran after the first start of the newest one is not gone:
// two variants, of other build tags for instance, may run side by side, or somebody went
// back to it. What it has is listed as well.
//
// A build that no readable process belongs to lists nothing: nobody looked at
// whether its functions are called.
//
// A function that was never called, but could not be observed in one of the
// programs that have it today, is not observable rather than never called: that
// program may call it all day. So is one that a program has and does not list
// (unlisted.go).
//
// # What it rests on
//
// A function may have no mark in a build, because evidence of an earlier one knows that it
// was called. Then it is called, at the time that the evidence has unless another build
// saw a later call, and [Function.Presumed] names the evidence.
//
// Each function has its [Evidence]: the processes that could have seen it called. A call
// in one environment makes a function called, as a call in one program does;
// [Function.CalledIn] says where it was, and a [Filter] makes a report on one
// environment.
//
// # What is missing
//
// A data file that is damaged, or cannot be used for another reason, is named in
// [Report.Problems], and the others count. Of a damaged hits file those stamps count that
// are still good, and a function whose stamp is not is unknown rather than never called.
// So damage may hide a call, but never without being named.
//
// Processes that were killed where calls are kept once a second may have called functions
// in their last second that nobody knows of. They are named likewise. If all processes of
// a build may have lost all that they called, its functions are unknown.
//
// It may import hitrt/datafile, which knows the files.
package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// A Status is what is known about the calls of a function.
type Status string

const (
	Called        Status = "called"         // by at least one process
	NeverCalled   Status = "never-called"   // by no process, though each would have seen it
	NotObservable Status = "not-observable" // no call is known, and none could be
	Unknown       Status = "unknown"        // no call is known, and one may be lost
)

// A Function is one function or method of the programs.
type Function struct {
	Package      string    `json:"package"`            // import path
	Receiver     string    `json:"receiver,omitempty"` // `Server` or `*Server`; "" without one
	Name         string    `json:"name"`
	Signature    string    `json:"signature"` // as the collector shows it
	File         string    `json:"file"`      // as in the codebase, with forward slashes
	Line         int       `json:"line"`
	Lines        int       `json:"lines,omitempty"`  // that it has; 0 if unknown
	Module       string    `json:"module,omitempty"` // of File, "" if that tells it
	Status       Status    `json:"status"`
	LastCalledAt time.Time `json:"lastCalledAt,omitzero"` // UTC; zero unless called
	CalledIn     []string  `json:"calledIn,omitempty"`    // environments, sorted
	Evidence
	Generated bool   `json:"generated,omitempty"` // its file says that a program wrote it
	LinkedOut bool   `json:"linkedOut,omitempty"` // never called, and in no binary: see Look
	Keep      *Keep  `json:"keep,omitempty"`      // why it stays all the same
	Presumed  string `json:"presumed,omitempty"`  // see unmarked
	Reason    string `json:"reason,omitempty"`    // why nothing is known of its calls
	Mute      bool   `json:"-"`                   // unknown, as no process wrote calls
	directive string // //scavenger:keep in the source, without the slashes and "scavenger:"

	// unmarked says that a build in use has no mark in it, because evidence knows that it was
	// called. Presumed is the name of that evidence. It is there too if a build that is no
	// longer in use had no mark, and nobody saw a later call.
	unmarked bool

	// observedTo is the latest time that is known of the processes in which it could be
	// observed, zero if none is.
	observedTo time.Time

	// blindTo is the latest time that is known of the processes in which it could not be
	// observed, of builds that are no longer in use; zero if there are none.
	blindTo time.Time

	// uncertain says that it was called, and that a later call may not be known: a build in
	// use could not observe it or says nothing, a stamp is damaged, or the clock of the last
	// known call was never set.
	uncertain bool
}

// A Program is one program that left data.
type Program struct {
	App          string    `json:"application"`      // its application name
	Main         string    `json:"main,omitempty"`   // its main package, "" if unknown
	File         string    `json:"file,omitempty"`   // with func main, if built from files
	Module       string    `json:"module,omitempty"` // main module, "" if unknown
	Environments []string  `json:"environments"`     // sorted
	Processes    int       `json:"processes"`        // with hits that could be read
	Hosts        int       `json:"hosts"`            // that they ran on
	From         time.Time `json:"from,omitzero"`    // first start of a process
	To           time.Time `json:"to,omitzero"`      // last start or call
	ObservedFor  int64     `json:"observedFor"`      // seconds in which one of them ran
	Builds       []Build   `json:"builds"`           // the newest first
}

// A Build is one build of a program. The codebases that it has in several environments
// are one build, and so are builds that differ in no function, nor in its place.
type Build struct {
	Versions     []string  `json:"versions"`     // of the application, sorted
	Environments []string  `json:"environments"` // sorted
	Functions    int       `json:"functions"`
	Processes    int       `json:"processes"`
	From         time.Time `json:"from,omitzero"`
	To           time.Time `json:"to,omitzero"`
	ObservedFor  int64     `json:"observedFor"` // seconds in which a process of it ran
	InUse        bool      `json:"inUse"`       // its functions are listed
	entries      []entry   // nil unless it is in use
}

// A Report is what the data files of one directory say together.
type Report struct {
	Functions []Function // sorted by package, file, line
	Others    []Function // those that the selection left out, sorted likewise
	Removed   []Function // those that only older builds have, sorted likewise
	Programs  []Program  // sorted by name and main package, those of one name by last start
	Unseen    int        // codebases without a readable process, left out
	Observed  Observed   // of all programs
	Filter    Filter     // which processes it is about
	Selection Selection  // which functions
	Processes Processes
	Problems  []Problem // sorted by file
	Mute      []Program // those in Programs with a build in use that nothing is known of

	KeepRules []KeepRule // directives in the source, and what Keep was given
	Baseline  *Baseline  // what changed since an earlier report; nil if nobody asked
	Binaries  []string   // in which Look looked for functions
}

// Observed is what the programs have together.
type Observed struct {
	From         time.Time `json:"from,omitzero"` // as in Program
	To           time.Time `json:"to,omitzero"`
	ObservedFor  int64     `json:"observedFor"` // seconds in which a process ran
	Processes    int       `json:"processes"`
	Hosts        int       `json:"hosts"`
	Builds       int       `json:"builds"`
	Environments []string  `json:"environments"` // sorted, as are Applications
	Applications []string  `json:"applications"`
}

// Complete reports whether the report rests on all that its processes called.
func (r *Report) Complete() bool { return len(r.Problems) == 0 && len(r.Mute) == 0 }

// Read joins the data files in dir. Processes may be writing there meanwhile.
//
// The error is for a directory that holds nothing to report. Damaged files are
// no error: they are in the report's Problems, beside what the others say.
func Read(dir string) (*Report, error) { return readSome(dir, Filter{}) }

// readSome does what Read does with the data of some processes only.
func readSome(dir string, filter Filter) (*Report, error) {
	in := &Inputs{sources: []source{{dir, dir, dir}}}
	return in.Read(filter)
}

// gather reads the directory, but for what processes have in common with others.
func (d *data) gather() error {
	files, err := listFiles(d.dir)
	if err != nil {
		return err
	}
	d.readMarks(files.users)
	d.addMarks()
	// Twice, as a file may have got another name, or have been recovered to, and as the
	// first process may have come meanwhile.
	for range 2 {
		for _, name := range files.hits {
			if !d.read[name] {
				d.read[name] = true
				d.addFile(name)
			}
		}
		if again, err := listFiles(d.dir); err == nil {
			files = again
		}
	}
	// Codebases are read when a hits file asks for them, by name: one may have
	// appeared after the directory was listed. What is left now belongs to no
	// readable process, but damage in it is still worth knowing.
	d.unused(files.codebases)
	return nil
}

// hasData reports whether a process left something, whatever it is.
func (d *data) hasData() bool { return len(d.read) > 0 || len(d.marks) > 0 || len(d.others) > 0 }

// whatToDo and whatToPipe end the messages about a directory, or an archive, without data.
const (
	whatToPipe = "pipe an archive of the directory that SCAVENGER_DATA_DIR names: tar c data | scavenger-wrap report -"
	whatToDo   = "set SCAVENGER_DATA_DIR to it, run the marked program for a second or more, and report again"
)

// files are the names of data files in a directory. Anything else there, above all the
// temporary names ending in .tmp, is none of our business.
type files struct {
	codebases, hits []string
	users           []int // those that hits files belong to, the directory's, and our own
}

// listFiles lists the data files in dir.
func listFiles(dir string) (files, error) {
	var f files
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f, fmt.Errorf("no directory %q: %s", dir, whatToDo)
	case err != nil:
		return f, err
	case !info.IsDir():
		return f, fmt.Errorf("%q is not a directory: name the one that SCAVENGER_DATA_DIR named when the program ran", dir)
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return f, err
	}
	f.users = []int{os.Geteuid(), datafile.Owner(info)}
	for _, e := range list {
		name := e.Name()
		_, isCodebase := datafile.CodebaseFingerprint(name)
		switch {
		case e.IsDir():
		case isCodebase:
			f.codebases = append(f.codebases, name)
		case isHits(name):
			f.hits = append(f.hits, name)
			if info, err := e.Info(); err == nil {
				f.users = append(f.users, datafile.Owner(info))
			}
		}
	}
	if os.Geteuid() == 0 { // who can read those of users without a hits file, too
		f.users = append(f.users, datafile.MarksUsers()...)
	}
	slices.Sort(f.users)
	f.users = slices.Compact(f.users)
	return f, nil
}

// data is what one Read has gathered so far.
type data struct {
	// entries are those of codebases that were read, by fingerprint, in other directories
	// as well.
	entries map[string][][]entry

	dir         string
	name        string                    // what messages call it
	elsewhere   []string                  // other directories, which may have its codebases
	files       []hitsFile                // whose processes are not counted yet
	began       int64                     // Unix milliseconds
	future      int64                     // times after that are of a wrong clock
	boot        string                    // this machine's, "" if unknown
	codebases   map[codebaseKey]*codebase // unusable ones too
	byFile      map[string]*codebase      // by the name of its file
	named       map[string]bool           // codebase files that cannot be opened
	read        map[string]bool           // hits files
	marks       map[string]*marks         // by process
	allMarks    map[string]*marks         // those of other directories as well
	unreachable map[int]bool              // users whose marks files cannot be listed
	joined      []hitsFile
	filter      Filter
	selected    bool                // the filter selects some process
	others      []datafile.Identity // that it does not select
	processes   Processes
	unseen      []string // names of codebases without a process
	problems    []Problem
}

func newData(dir string, now time.Time, boot string) *data {
	return &data{
		dir: dir, name: dir, began: now.UnixMilli(), future: now.Add(24 * time.Hour).UnixMilli(), boot: boot,
		codebases: map[codebaseKey]*codebase{}, byFile: map[string]*codebase{}, named: map[string]bool{}, read: map[string]bool{},
		marks: map[string]*marks{}, unreachable: map[int]bool{}, entries: map[string][][]entry{},
	}
}

// problem notes what is wrong with a file.
func (d *data) problem(path string, kind Kind, err error) {
	if rest, ok := strings.CutPrefix(path, d.dir); ok {
		path = d.name + rest // an archive was unpacked elsewhere
	}
	d.problems = append(d.problems, Problem{File: path, Kind: kind, Err: err})
}
