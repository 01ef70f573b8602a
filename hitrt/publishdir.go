//go:build !nonetwork && !program

// The work of `scavenger-wrap publish`, which imports this package: to send what is in the
// hits files of a directory and no collector has.
//
// First, what killed processes left on this machine is recovered, and files of single
// processes are joined. Everything goes out under the name of the latest process of a
// codebase, as if that process had sent it. First comes the codebase, in the same chunks
// with the same fingerprints; then the calls; then, after a pause, the calls again, since
// the collector may have lost some to the import of the codebase (exporter.go). After
// each of the two the stamps of the calls say so (publishgroup.go). If this is interrupted,
// it can be run again: the collector recognises what it has by fingerprint and time.
//
// Processes may write to the files meanwhile. What they call again has a later time, and
// counts as unsent.

package hitrt

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// publishPause is the time that the collector gets to store the codebase, and then
// the calls.
const publishPause = time.Second

// A directory is one run of PublishDir.
type directory struct {
	path  string
	keep  bool // stamps do not say what was sent
	all   bool // what was sent is sent again
	pause time.Duration
	set   *settings
	step  StepFunc

	unread bool // there is a file that cannot be read
}

// PublishDir sends the calls in the hits files of a directory that no collector accepted
// so far, or all of them, to the server that the settings and the environment name, under
// the names that are in the files. It notes there what the collector accepted, unless
// keep is set. It tells each step, and stops at the first that the collector refuses.
func PublishDir(step StepFunc, settings, path string, keep, all bool) {
	d := &directory{path: path, keep: keep, all: all, pause: publishPause}
	d.run(step, settings)
}

func (d *directory) run(step StepFunc, settings string) {
	path := d.path
	d.set = loadSettings(&Program{Settings: settings}, os.LookupEnv)
	d.step = func(name, outcome, detail, advice string) {
		step(name, outcome, withoutKey(detail, d.set.apiKey), advice)
	}
	for _, p := range d.set.problems {
		d.step("settings", "failed", p, "")
	}
	switch info, err := os.Stat(path); {
	case d.set.hasWrongURL():
		return
	case !d.set.collects():
		d.step("collector", "failed", "serverUrl or apiKey is not set", "set SCAVENGER_SERVER_URL and SCAVENGER_API_KEY, or both in scavenger.toml")
		return
	case err != nil:
		d.step("directory", "failed", err.Error(), "name the dataDir of the programs")
		return
	case !info.IsDir():
		d.step("directory", "failed", path+" is not a directory", "name the dataDir of the programs")
		return
	}
	d.recover()
	d.join()
	groups := d.groups()
	if len(groups) == 0 && !d.unread {
		d.step("directory", "note", "nothing in "+d.path+" is to be sent", "")
	}
	for _, group := range groups {
		if !d.publish(group) {
			return
		}
	}
}

// recover moves what killed processes of this machine left to the hits files.
func (d *directory) recover() {
	info, err := os.Stat(d.path)
	if err != nil {
		return
	}
	_, prefix := datafile.MarksName(info, "")
	users := []int{os.Geteuid(), datafile.Owner(info)}
	for _, path := range hitsFiles(d.path) {
		if info, err := os.Lstat(path); err == nil {
			users = append(users, datafile.Owner(info))
		}
	}
	slices.Sort(users)
	seen := map[string]bool{}
	for _, user := range slices.Compact(users) {
		for _, dir := range datafile.MarksDirs(user, d.path) {
			for _, path := range datafile.MarksIn(dir, prefix) {
				if seen[path] {
					continue
				}
				seen[path] = true
				_, err := datafile.Recover(path, d.path, d.set.dataMode)
				if err != nil && !errors.Is(err, datafile.ErrBusy) && !errors.Is(err, datafile.ErrElsewhere) && !errors.Is(err, fs.ErrNotExist) {
					d.unread = true
					d.step(path, "failed", err.Error(), "it stays; all else is sent")
				}
			}
		}
	}
}

// join joins the files of single processes, and those of earlier versions, to the shared
// ones.
func (d *directory) join() {
	j := datafile.Joiner{Dir: d.path, Mode: d.set.dataMode, Wanted: func(*datafile.Identity) bool { return true }}
	j.Search()
	j.Join(math.MaxInt, func(path string, err error) {
		d.step(path, "failed", err.Error(), "what is damaged is not sent, and stays unknown")
	})
	for _, name := range datafile.Names(d.path) {
		if !datafile.IsOld(datafile.HitsName(name)) {
			continue
		}
		path := filepath.Join(d.path, name)
		if r, err := datafile.OpenHits(path); err == nil {
			if !r.Joined {
				d.step(path, "note", "it is of an earlier version, and its process may live: it stays", "")
			}
			_ = r.Close()
		}
	}
}

// A publication is one hits file with something to send.
type publication struct {
	*orphan
	owner   int
	started int64  // last start of one of its processes
	process string // that one
}

// groups returns the files with something to send, grouped by application, environment
// and codebase. Their calls are read later: there may be thousands of files.
func (d *directory) groups() [][]*publication {
	var all []*publication
	for _, path := range hitsFiles(d.path) {
		p, err := d.read(path)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errForeign):
		case p == nil:
			d.unread = true
			d.step(path, "failed", err.Error(), "it stays; the others are sent")
		default:
			if err != nil {
				d.step(path, "failed", err.Error(), "what is sound in it is sent")
			}
			if len(p.calls) > 0 {
				p.calls = nil
				all = append(all, p)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *publication) int { return strings.Compare(a.group(), b.group()) })
	var groups [][]*publication
	for i, p := range all {
		if i == 0 || p.group() != all[i-1].group() {
			groups = append(groups, nil)
		}
		last := &groups[len(groups)-1]
		*last = append(*last, p)
	}
	return groups
}

// group returns what the files have in common that are sent together. Users are apart, as
// one must not name the calls of another, and so are files that disagree about the number
// of functions.
func (p *publication) group() string {
	return fmt.Sprintf("%q %q %q %d %d %d", p.id.AppName, p.id.Environment, p.id.Fingerprint, p.id.Functions, p.id.UID, p.owner)
}

// read reads a file. Of one that is damaged it returns an error and what is sound.
func (d *directory) read(path string) (*publication, error) {
	r, err := datafile.OpenHits(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if r.Joined {
		return nil, errForeign
	}
	p := &publication{owner: r.Owner(), orphan: &orphan{path: path, id: r.Identity, store: datafile.Store{
		File: path, Identity: r.Identity, Process: r.Process, Wait: publishPause,
	}}}
	sums, processes, _ := r.Processes() // calls do not depend on them
	p.started = sums.LastStart
	for _, one := range processes {
		if one.StartedAt >= p.started {
			p.started, p.process = one.StartedAt, one.UUID
		}
	}
	err = r.Stamps(func(i int, at int64, state datafile.State) {
		if at != 0 && (state < datafile.Sent || d.all && state == datafile.Sent) {
			p.calls = append(p.calls, pastCall{i, at, state})
		}
	})
	return p, err
}
