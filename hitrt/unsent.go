//go:build !nonetwork

// What could not be sent when the program ended. Without dataDir it would be gone, and
// what ran would look as if it never had. So it is saved in an unsent file, outside of
// dataDir, and a later process of the same user, application, environment, collector and
// api key sends it, whatever its build.
//
// Nothing is written if the collector accepted all. Each process looks for that file once
// it is sure that the collector has its codebase: once in ten minutes, and when it ends.

package hitrt

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// A savePlace is a place for unsent files: a directory below another one, which is there.
type savePlace struct {
	above string
	below []string // made if they are missing
	// shared says that every user has a directory there, and that the last of below needs
	// the user's number.
	shared bool
	used   <-chan struct{} // closed when what was begun there has ended; nil if nothing was
}

// varTmp is for everybody, and outlives a restart of the machine.
const varTmp = "/var/tmp"

// savePlaces returns the places for unsent files, the best first. None of them depends
// on what the program does to its environment later.
//
// OpenBSD ends a program that has pledged to leave files alone, so there it is not done
// unless it is asked for.
func (r *settingsReader) savePlaces() (places []savePlace) {
	if !hasOwners || runtime.GOOS == "openbsd" && r.text("saveUnsent") == "" {
		return nil
	}
	if state, _ := r.lookup("XDG_STATE_HOME"); filepath.IsAbs(state) {
		places = append(places, savePlace{above: state, below: []string{"scavenger-wrap"}})
	} else if home, _ := r.lookup("HOME"); filepath.IsAbs(home) {
		places = append(places, savePlace{above: home, below: []string{".local", "state", "scavenger-wrap"}})
	}
	return append(places, savePlace{above: varTmp, below: []string{"scavenger-wrap"}, shared: true})
}

// dir returns the directory for the files of the process's user.
func (p *savePlace) dir() string {
	dir := filepath.Join(append([]string{p.above}, p.below...)...)
	if p.shared {
		dir += "-" + strconv.Itoa(os.Geteuid())
	}
	return dir
}

// check returns an error unless the directory is there, and nobody but the user and root
// can read what is in it or put anything there. With makes, it makes what is missing.
func (p *savePlace) check(makes bool) error {
	own, above := p.dir(), p.above
	for i, name := range p.below {
		if err := checkAbove(above); err != nil {
			return err
		}
		if above = filepath.Join(above, name); i == len(p.below)-1 {
			above = own
		}
		if makes && os.Mkdir(above, 0o700) == nil {
			_ = os.Chmod(above, 0o700) // whatever the umask is
		}
	}
	if !datafile.IsOwn(own, os.Geteuid()) {
		return fmt.Errorf("%s is no directory of this user alone", own)
	}
	return nil
}

// checkAbove returns an error if somebody else can exchange what is in a directory, or the
// directory by a link.
func checkAbove(dir string) error {
	link, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	check := checkOwner
	if info.Mode()&os.ModeSticky != 0 {
		check = checkOwnerOnly
	}
	if err := cmp.Or(checkOwnerOnly(link), check(info)); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	return nil
}

// unsentFile returns the unsent file of this process in a place.
func (e *exporter) unsentFile(p *savePlace) *datafile.UnsentFile {
	set := e.p.set
	name := datafile.UnsentName(set.serverURL, set.apiKey, set.appName, set.environment)
	return &datafile.UnsentFile{Path: filepath.Join(p.dir(), name), Wait: lockWait}
}

// saveUnsent saves what the collector did not accept, or only once, in the first place
// where that is possible. If the calls are in dataDir, they are sent from there.
func (e *exporter) saveUnsent() {
	if e.p.set.savePlaces == nil || e.p.data != nil && e.p.data.ended {
		return
	}
	e.endInterval()
	calls := e.unsent()
	if len(calls) == 0 {
		return
	}
	silent := false
	for i := range e.p.set.savePlaces {
		place := &e.p.set.savePlaces[i]
		file := e.unsentFile(place)
		share := inTurn
		if i == len(e.p.set.savePlaces)-1 {
			share = allThatIsLeft
		}
		_, err := inPlace(e.p, place, share, func() (none struct{}, err error) {
			if err := place.check(true); err != nil {
				return none, err
			}
			return none, file.Add(calls)
		})
		if err == nil {
			e.p.log.Info("what was not sent is saved in %s, and the next process of the application sends it", file.Path)
			return
		}
		silent = silent || errors.Is(err, errNoAnswer)
		e.p.log.Debug("what was not sent cannot be saved in %s: %v", place.dir(), err)
	}
	// With dataDir it is there, or in the marks file, or was said not to be. What was accepted
	// once is sent twice only in case that the collector lost it.
	isUnsent := func(c datafile.UnsentCall) bool { return c.State == datafile.Unsent }
	switch {
	case e.p.data != nil || !slices.ContainsFunc(calls, isUnsent):
	case silent: // and may still save it
		e.p.log.Warn("what was not sent may be lost, as there is no dataDir to write to, and no other place for it that answers")
	default:
		e.p.log.Warn("what was not sent is lost, as there is no dataDir to write to, and no other place for it")
	}
}

// How long is waited for the file system of a place: nobody chose it for this, and it may
// be one that does not answer. At the end of the program it is a share of the time that is
// left until Exit returns, of which another place may need as much.
const (
	placeWait     = time.Second
	inTurn        = 0.4
	allThatIsLeft = 1
)

const errNoAnswer = datafile.Error("the file system does not answer")

// inPlace runs f, which uses files of a place, in a goroutine of its own, and returns an
// error if that takes too long: at the end of the program, more than a share of what is left.
// It does not begin anything where something still goes on.
func inPlace[T any](p *publisher, place *savePlace, share float64, f func() (T, error)) (T, error) {
	var none T
	if place.used != nil {
		select {
		case <-place.used:
		default:
			return none, errNoAnswer
		}
	}
	o, done := background(f)
	place.used = done
	if !p.poller.start() {
		return inPlaceUntimed(p, share, o, done)
	}
	timer := time.NewTimer(placeWait)
	defer timer.Stop()
	exiting := p.exiting
	for {
		select {
		case <-done:
			return o.get()
		case <-timer.C:
			return none, errNoAnswer
		case <-exiting:
			exiting = nil
			timer.Reset(time.Duration(share * float64(time.Until(p.returns))))
		}
	}
}

// inPlaceUntimed is the rest of inPlace where no timer can be had.
func inPlaceUntimed[T any](p *publisher, share float64, o *outcome[T], done <-chan struct{}) (T, error) {
	wait := placeWait
	if p.isExiting() {
		wait = time.Duration(share * float64(time.Until(p.returns)))
	}
	p.waitFor(done, wait)
	select {
	case <-done:
		return o.get()
	default:
		var none T
		return none, errNoAnswer
	}
}

// unsent returns the calls that the collector did not accept, and those that it accepted
// once.
func (e *exporter) unsent() (calls []datafile.UnsentCall) {
	for times, set := range []bitset{e.hits.unsent, e.hits.once} {
		for number, hash := range e.p.codebase.hashes(set) {
			at := int64(e.hits.last[number]) * 1000
			calls = append(calls, datafile.UnsentCall{Hash: hash, At: at, State: datafile.State(times)})
		}
	}
	return calls
}

// sendSaved sends what earlier processes saved. When the program runs, it looks for that
// once in ten minutes.
func (e *exporter) sendSaved() {
	now := e.p.now()
	if e.p.isExiting() && e.p.left() == 0 ||
		!e.p.isExiting() && !e.lookedForSaved.IsZero() && elapsed(e.lookedForSaved, now) < orphanInterval {
		return
	}
	e.lookedForSaved = now
	for i := range e.p.set.savePlaces {
		if !e.sendSavedIn(&e.p.set.savePlaces[i]) {
			return
		}
	}
}

// sendSavedIn sends the calls that are saved in a place. It returns false if the collector
// does not accept them.
func (e *exporter) sendSavedIn(place *savePlace) bool {
	file := e.unsentFile(place)
	saved, err := inPlace(e.p, place, inTurn, func() ([]datafile.UnsentCall, error) {
		if _, err := os.Lstat(file.Path); err != nil {
			return nil, err
		}
		if err := place.check(false); err != nil {
			return nil, err
		}
		return file.Read()
	})
	if err != nil || len(saved) == 0 {
		return true
	}
	calls, hashes := make([]pastCall, len(saved)), make([][16]byte, len(saved))
	for i, c := range saved {
		calls[i], hashes[i] = pastCall{i, c.At, c.State}, c.Hash
	}
	count, err := e.sendCalls(calls, hashes)
	if err != nil {
		e.logError(err, &e.invocation, "publishing what earlier processes saved")
		return false
	}
	e.p.log.InfoHourly("saved", "%d invocations of earlier processes published", count)
	_, err = inPlace(e.p, place, inTurn, func() (none struct{}, err error) { return none, file.Accepted(saved) })
	if err != nil {
		e.p.log.InfoHourly("accepted", "%s was sent, and is sent again: %v", file.Path, err)
	}
	return true
}
