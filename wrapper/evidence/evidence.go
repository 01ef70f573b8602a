// Package evidence says which functions need no mark in a build, as an earlier build of the
// program has called them: they are presumed.
//
// # What counts
//
// A function is presumed if the evidence says that it was called, and how long before the
// end of the evidence at most (evidenceMaxAge). It is the same function if package, base
// type of the receiver and name are: so it is in reports. Whether its body is another one
// does not matter, since what calls it is elsewhere. A function with another name was never
// called.
//
// The clock is the end of the evidence: the same evidence gives the same program, on
// every machine and on every day.
//
// # What is marked again
//
// What is not marked is not seen, so each presumed function gets its mark back for one of
// the thirty periods that evidenceMaxAge has. A hash of its name decides which one. The
// number of the thirty is in that hash as well, so that a function whose period is always
// that of a Sunday, when nobody builds, has its turn another time. If nobody builds in its
// period at all, its evidence becomes too old, and it is marked then.
//
// # How a build gets it
//
// Evidence may be large, and each of hundreds of actions asks for it. So the first one
// writes a digest of it into the build cache, under a name made of the size and the time of
// each of its files. As evidence may change while a build runs, the first action with a
// work directory copies the digest there, for those that follow. The tool ID may be made of
// a newer or older digest all the same. So compile notes which functions it left without a
// mark, and link lists those that its evidence does not know as not observable.
//
// It may import config.
package evidence

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/config"
)

// periods is the number of periods of evidenceMaxAge. In each of them another share of the
// presumed functions is marked.
const periods = 30

// Calls are what a report or a data directory says of one program.
type Calls struct {
	Main string    // import path of its main package
	To   time.Time // the latest time known
	List []Call
}

// A Call is the last one of a function.
type Call struct {
	Package  string
	Receiver string // "Server" or "*Server", or ""
	Name     string
	At       time.Time
}

// A Reader reads the calls in a report or data directory. It is handed in, so that what
// reads reports is no part of a tool ID: the digest that it leads to is.
type Reader func(path string) (*Calls, error)

// singleFiles is the import path of every main package that is built from files.
const singleFiles = "command-line-arguments"

// newDigest returns what the calls mean for builds with some settings.
func newDigest(c *config.Config, read Reader) (*Digest, error) {
	d, list := &Digest{Source: filepath.Base(c.Evidence)}, []function(nil)
	calls, err := read(c.Evidence)
	switch {
	case err != nil:
		d.Problem = err.Error()
	case calls.Main == "" || calls.Main == singleFiles:
		d.Problem = "it does not say of which program it is"
	case calls.To.Year() < 2017 || calls.To.Year() > 2100:
		d.Problem = "its times make no sense"
	case !c.OfModules(calls.Main):
		d.Problem = "it is of another program, " + calls.Main
	default:
		d.Main, d.To, list = calls.Main, calls.To, presumed(calls, c.EvidenceMaxAge)
	}
	text, err := d.encode(list)
	if err != nil {
		return nil, err
	}
	return decode(text)
}

// presumed returns the functions that need no mark, sorted.
func presumed(calls *Calls, maxAge time.Duration) []function {
	period := maxAge / periods
	n := calls.To.UnixNano() / int64(period)
	cycle, turn := n/periods, n%periods
	last := map[function]int64{}
	for _, c := range calls.List {
		f := function{Package: c.Package, Base: strings.TrimPrefix(c.Receiver, "*"), Name: c.Name}
		switch age := calls.To.Sub(c.At); {
		case age < 0 || age > maxAge || f.check() != nil:
		case turnOf(f, cycle) != turn:
			last[f] = max(last[f], c.At.UnixMilli())
		}
	}
	list := make([]function, 0, len(last))
	for f, at := range last {
		f.At = at
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b function) int {
		return cmp.Or(strings.Compare(a.Package, b.Package), strings.Compare(a.Base, b.Base), strings.Compare(a.Name, b.Name))
	})
	return list
}

// turnOf returns the period of a cycle in which a function is marked.
func turnOf(f function, cycle int64) int64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s %d", f.Package, f.Base, f.Name, cycle))
	return int64(binary.LittleEndian.Uint64(sum[:8]) % periods)
}

// check returns an error for names that no function has. They would not be told apart in a
// digest.
func (f *function) check() error {
	if f.Package == "" || f.Name == "" || strings.ContainsAny(f.Package+f.Base+f.Name, " \t\r\n") {
		return errors.New("no name of a function")
	}
	return nil
}
