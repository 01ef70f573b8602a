// Package hitrt is the part of scavenger-wrap that runs inside the programs
// that it builds. It collects which functions ran and tells the Scavenger
// collector, or writes it to local files, or both.
//
// Programs do not import it: the registry, which is generated, does. What programs
// may call is in hitrt/api.
//
// # What a program pays
//
// A hit is one byte store into an array of the program's own, without a call of this
// package. The package has no init function and no variables to initialise. [Register]
// reads the settings and starts one goroutine, the publisher. Without local files it
// does not look at the program's functions, so its cost does not grow with their
// number. With local files it waits until the marks file is mapped, which takes longer
// where functions are not observable (0.2 µs for each function of their packages), and in
// small programs, and those of go build -race on Linux, until the hits file and the list of
// functions are there, but a quarter of a second at most. The publisher makes names,
// signatures and hashes when it needs them, and keeps none: what stays in memory is four
// bytes and three bits per function for the collector, and eight bytes and two bits per
// function for local files, twelve bytes where some are not observable.
//
// # When anything runs
//
//   - Register reads settings. Without apiKey and serverUrl, and without dataDir,
//     nothing else ever happens.
//   - With dataDir, the goroutine maps a marks file over the mark arrays, where that is
//     possible. Once a second it reads the cells, and writes first hits to the hits file;
//     later ones once a minute.
//   - A second after the start, and every ten minutes, it looks for what other processes
//     left in dataDir and beside its marks file, and writes that to the hits file too.
//   - With a collector, from schedulerInitialDelayMillis on, every
//     schedulerIntervalMillis, the goroutine does what is due: polling the
//     configuration, publishing the codebase, publishing invocations. A call takes a
//     second goroutine, and those of net/http.
//   - [Exit] writes what is pending, then sends it, within exitTimeout (2 s). What the
//     collector does not accept is saved for the next process (unsent.go), unless it is in
//     dataDir.
//   - Once an hour the cells of functions without marks are set (Program.Static).
//   - Where nobody else handles SIGTERM, SIGINT and SIGHUP, and a hit could be lost, a
//     goroutine waits for them, and one of os/signal. What Exit does is done before the
//     program dies (signal.go).
//
// Built with the tag nonetwork, which link gives for network = false, the package has no
// exporter and imports neither net nor crypto; all else is the same. With the tag program,
// which link always gives, it has nothing that only the commands of scavenger-wrap need.
//
// # What it leaves alone
//
// Standard output, the default HTTP client, the default logger, signal
// dispositions, the environment. It writes to standard error only what somebody must
// act on, at most one line of a kind per hour. A panic in this package ends its work
// and nothing else.
package hitrt

import (
	"io"
	"maps"
	"os"
	"sync/atomic"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// A Program holds what the link action knows about the binary that it links. All of
// it is static data.
type Program struct {
	Main     string    // import path of the main package
	Packages []Package // sorted by Path

	// Settings are the baked-in settings: a JSON object of string values, with the keys of
	// the Java agent.
	Settings string

	// Static are the cells of functions that have no marks: initialisers call them, and
	// the compiler may have laid out what they return (static.go in rewrite). They count
	// as called, at the start and once an hour.
	Static []*uint8

	// Module and Version are of the main module, "" if unknown. Instead of a version there
	// may be the revision that the program was built from. Executable says that this is a
	// program, and no library or plugin. They are known from the build information, which
	// would have to be parsed at each start.
	Module, Version string
	Executable      bool

	// Presumed are the last calls of functions that have no marks, as evidence of an earlier
	// build knows them, in the order of packages and cells. Evidence is its name.
	Presumed []Presumed
	Evidence string

	// Signals says that nothing in the program asks for signals, as far as its packages
	// tell, so that this package may, and that it is a program and no library.
	Signals bool

	// Unlisted says which functions of the program are not in Entries, in the form that
	// codebase files have. Only the report reads it.
	Unlisted string

	// Fingerprint is a hash of the Path and Entries of all packages, of Presumed and of
	// Unlisted, so that naming local files does not take reading megabytes of them. It may
	// be empty.
	Fingerprint string

	started map[string]string // settings given to Start, which count more than Settings

	// What follows is as it was when Register was called, which may be after the initialisation
	// of other packages.
	sending sending
	stderr  io.Writer // nil if it was not called
}

// settings returns the settings that a program has before anything where it runs is read.
// With an error it returns those that could be read.
func (p *Program) settings() (values map[string]string, err error) {
	values = map[string]string{}
	if p.Settings != "" {
		values, err = datafile.ReadStrings([]byte(p.Settings))
	}
	maps.Copy(values, p.started)
	return values, err
}

// A Package is one marked package.
type Package struct {
	Path string // import path, without " [x.test]"

	// Marks is the mark array. It has a cell, one byte, per observable function, and unused
	// bytes up to a multiple of 8. A cell is 0 if the function was not hit since the cell
	// was last cleared.
	Marks []uint8

	// Padding is the number of unused bytes before Marks, and after it, so that a file
	// may be mapped over the pages of Marks.
	Padding int

	// Entries lists the package's functions, one per line. A line ends in "\n" and has
	// six fields separated by tabs: the index into Marks (or "-" and the reason why the
	// function is not observable), file (empty: as in the line before), line ("12+3" if
	// three more follow up to its end, "12+3g" in a generated file), receiver base type with
	// its star, name, parameter types. A seventh is there if a //scavenger:keep comment in
	// the source is about the function: that comment without "//scavenger:".
	Entries string

	// InOrder is the number of functions in Entries if the first has index 0, the next
	// one 1, and so on, as in most packages: then local files are written without
	// reading megabytes of Entries. It may be 0 for any package.
	InOrder int
}

// A Presumed is the last call of a function without a mark.
type Presumed struct {
	Package, Cell int32 // indices into Packages, and into its Marks
	At            int64 // Unix milliseconds
}

const (
	// startTimeout is the longest that [Register] waits for local files.
	startTimeout = 250 * time.Millisecond

	// fewFunctions is the number of functions up to which Register waits for the
	// codebase file too. Only the first process of a build writes it, in 3 µs a function.
	fewFunctions = 2000

	// staticInterval is how often the cells of functions without marks are set.
	staticInterval = time.Hour
)

// registered is the process's only publisher.
var registered atomic.Pointer[publisher]

// Register takes over the program's mark arrays. It reports whether Exit must be called:
// false means that the program is inert, without a goroutine, file or connection of
// this package. Only the first call can return true.
func Register(p *Program) (active bool) {
	defer func() {
		if recover() != nil {
			active = false
		}
	}()
	p.sending, p.stderr = newSending(), standardError()
	lookup := variables()
	set := loadSettings(p, lookup)
	if lookup != nil {
		set.checkVariables(os.Environ())
	}
	if !set.active() {
		set.explain(p.stderr)
		dormant.CompareAndSwap(nil, p) // Start may wake it
		return false
	}
	return launch(p, set)
}

// launch starts the publisher, unless there is one.
func launch(p *Program, set *settings) bool {
	pub := newPublisher(p, set)
	if !registered.CompareAndSwap(nil, pub) {
		return false
	}
	pub.setStatic()
	if set.collects() {
		pub.takeSignals()
	}
	go pub.run()
	if set.dataDir != "" {
		// The program may be killed at any moment from now on, but a directory that
		// does not answer must not keep it from starting.
		pub.waitFor(pub.ready, startTimeout)
	}
	return true
}

// Exit writes and sends what is pending. It runs on return from main and on os.Exit
// with any status. It never panics and returns within exitTimeout of the first call;
// later calls wait for the first.
func Exit() {
	defer func() { _ = recover() }()
	if pub := registered.Load(); pub != nil {
		pub.exit()
		pub.awaitDeath()
	}
}
