package hitrt

// What `scavenger-wrap publish` does: a program of its own, made of this package,
// sends what processes without a collector left in a directory. In other programs
// the linker drops this.
//
// All goes out under the name of the latest process of a codebase, as if that had
// sent it: first the codebase, in the same chunks with the same fingerprints; then
// the calls of each process; then, after a pause, the calls again, since the
// collector may have lost some to the import of the codebase (collector.go); and
// only then are the files removed. Whatever this is interrupted by, it can be run
// again: the collector knows what it has by fingerprint and time.

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// publishPause is what the collector gets to store the codebase, and then the
// calls.
const publishPause = time.Second

// publishFiles is how many files are held at a time.
const publishFiles = 32

// A directory is one run of PublishDir.
type directory struct {
	path  string
	keep  bool
	pause time.Duration
	set   *settings
	say   func(step, outcome, detail, advice string)
}

// PublishDir sends what processes that are no more left in a directory, with the
// settings of the server given here and in the environment, and the names that
// are in the files. Files that were sent are removed, unless keep is set. It
// writes a JSON object for each step, and stops at the first that the collector
// refuses.
func PublishDir(out io.Writer, settings, path string, keep bool) {
	d := &directory{path: path, keep: keep, pause: publishPause}
	d.run(out, settings)
}

func (d *directory) run(out io.Writer, settings string) {
	enc := json.NewEncoder(out)
	path := d.path
	d.set = loadSettings(&Program{Settings: settings}, os.LookupEnv)
	d.say = func(step, outcome, detail, advice string) {
		_ = enc.Encode(checkStep{step, outcome, withoutKey(detail, d.set.apiKey), advice})
	}
	for _, p := range d.set.problems {
		d.say("settings", "failed", p, "correct the value")
	}
	switch info, err := os.Stat(path); {
	case !d.set.collects():
		d.say("collector", "failed", "serverUrl or apiKey is not set", "set SCAVENGER_SERVER_URL and SCAVENGER_API_KEY, or both in scavenger.toml")
		return
	case err != nil:
		d.say("directory", "failed", err.Error(), "name the dataDir of the programs")
		return
	case !info.IsDir():
		d.say("directory", "failed", path+" is not a directory", "name the dataDir of the programs")
		return
	case !canLock:
		d.say("directory", "failed", "this system has no file locks, so nobody knows whose process lives", "")
		return
	}
	for _, group := range d.groups() {
		if !d.publish(group) {
			return
		}
	}
}

// groups returns the files to send, those of one application, environment and
// codebase together.
func (d *directory) groups() [][]*leftover {
	paths := processFiles(d.path)
	if len(paths) == 0 {
		d.say("directory", "note", "no process has left anything in "+d.path, "")
	}
	var all []*leftover
	for _, path := range paths {
		if l := d.header(path); l != nil {
			all = append(all, l)
		}
	}
	slices.SortStableFunc(all, func(a, b *leftover) int { return strings.Compare(a.group(), b.group()) })
	var groups [][]*leftover
	for i, l := range all {
		if i == 0 || l.group() != all[i-1].group() {
			groups = append(groups, nil)
		}
		last := &groups[len(groups)-1]
		*last = append(*last, l)
	}
	return groups
}

func (l *leftover) group() string {
	return fmt.Sprintf("%q %q %q", l.header.AppName, l.header.Environment, l.header.Fingerprint)
}

// header reads who a file is from. It is not kept open: there may be thousands.
func (d *directory) header(path string) *leftover {
	file, err := openFile(path, os.O_RDONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil // somebody else has sent it
	}
	l := &leftover{path: path}
	if err == nil {
		err = l.readHeader(file)
		_ = file.Close()
	}
	if err != nil {
		d.say(path, "failed", err.Error(), "it stays; the others are sent")
		return nil
	}
	return l
}

// publish sends the files of a group. It reports whether to go on with the next.
func (d *directory) publish(group []*leftover) bool {
	var c *collector
	for part := range slices.Chunk(group, publishFiles) {
		claimed := d.claim(part)
		ok := len(claimed) == 0 || d.publishFiles(&c, claimed)
		for _, l := range claimed {
			l.held.release()
		}
		if !ok {
			return c == nil
		}
	}
	return true
}

// claim takes the files that nobody else has.
func (d *directory) claim(files []*leftover) (claimed []*leftover) {
	for _, file := range files {
		l, err := claimLeftover(file.path, func(*processHeader) bool { return true })
		switch {
		case err == nil:
			claimed = append(claimed, l)
		case errors.Is(err, errForeign):
			d.say(file.path, "note", "its process lives, or somebody else sends it: it stays", "")
		default:
			d.say(file.path, "failed", err.Error(), "it stays; the others are sent")
		}
	}
	return claimed
}

// publishFiles sends files of one group, and before the first of them the
// codebase. If that cannot be read, c stays nil.
func (d *directory) publishFiles(c **collector, claimed []*leftover) bool {
	latest := slices.MaxFunc(claimed, func(a, b *leftover) int { return cmp.Compare(a.header.StartedAt, b.header.StartedAt) })
	program, hashes, err := latest.program()
	if err != nil {
		d.say(latest.path, "failed", err.Error(), "it stays, and so do the others of that codebase")
		return false
	}
	if *c == nil {
		*c = d.collector(program, latest)
		defer (*c).client.closeIdle()
		if err := (*c).sendAll(); err != nil {
			d.refused(*c, "codebase", err)
			return false
		}
		d.say("codebase", "ok", fmt.Sprintf("%d functions of %s, environment %s", len(hashes), latest.header.AppName, latest.header.Environment), "")
	}
	for round := range 2 {
		time.Sleep(d.pause)
		for _, l := range claimed {
			n, err := (*c).sendCallsWhole(l, hashes)
			if err != nil {
				d.refused(*c, l.path, err)
				return false
			}
			if round == 1 {
				d.sent(l, n)
			}
		}
	}
	return true
}

// sent ends the life of a file.
func (d *directory) sent(l *leftover, calls int) {
	outcome := "sent"
	if !d.keep {
		if err := os.Remove(l.path); err != nil {
			d.say(l.path, "failed", "sent, and not removed: "+err.Error(), "remove it; to send it again does no harm")
			return
		}
		outcome = "sent and removed"
	}
	d.say(l.path, "ok", fmt.Sprintf("%d calls %s", calls, outcome), "")
}

func (d *directory) refused(c *collector, step string, err error) {
	advice := "run it again later: what was not sent stays"
	if unauthenticated(err) {
		advice = "the collector does not know the api key: copy it from the dashboard of the workspace in Scavenger's web page"
	}
	d.say(step, "failed", fmt.Sprintf("%s: %v", orElse(c.target, d.set.serverURL), err), advice)
}

// collector returns an outlet for what processes of a program left.
func (d *directory) collector(program *Program, latest *leftover) *collector {
	set := *d.set
	set.dataDir = ""
	p := newPublisher(program, &set)
	p.rep = newReporter(io.Discard, &set) // what goes wrong is said in steps
	h := &latest.header
	p.process, p.started = orElse(clamp(h.Process, 40), newUUID()), time.UnixMilli(max(h.StartedAt, earliest))
	set.appName, set.appVersion, set.environment, set.hostname = h.AppName, h.AppVersion, h.Environment, h.Hostname
	set.identify()
	p.codebase = newCodebase(program.Packages)
	p.collector = newCollector(p)
	return p.collector
}

// sendAll polls, which makes the process known, and sends the whole codebase.
func (c *collector) sendAll() error {
	if _, err := c.fetchConfig(); err != nil {
		return err
	}
	for !c.complete {
		limit := c.limit
		if err := c.publishChunk(); err != nil && c.limit == limit {
			return err
		}
	}
	return nil
}

// sendCallsWhole is sendCalls with smaller messages if the collector wants them.
func (c *collector) sendCallsWhole(l *leftover, hashes [][16]byte) (int, error) {
	for {
		limit := c.limit
		if n, err := c.sendCalls(l, hashes); err == nil || c.limit == limit {
			return n, err
		}
	}
}

// program returns the program that l is of, as far as its codebase file has it.
func (l *leftover) program() (*Program, [][16]byte, error) {
	p := &Program{}
	var hashes [][16]byte
	var entries []byte
	var of string // package
	marks := 0
	var err error
	end := func() {
		if len(entries) > 0 {
			p.Packages = append(p.Packages, Package{Path: of, Marks: make([]uint8, marks), Entries: string(entries)})
		}
		entries, marks = nil, 0
	}
	readErr := l.codebase(func(f codebaseFunction, hash [16]byte) {
		if f.Package != of {
			end()
			of = f.Package
		}
		if hash != signatureHash(f.Package, f.Receiver, f.Name) {
			err = errors.New("written by a version of scavenger-wrap that names functions otherwise")
		}
		hashes = append(hashes, hash)
		index := "-" + f.Reason
		if f.Reason == "" {
			index = strconv.Itoa(marks)
			marks++
		}
		for i, field := range []string{index, f.File, strconv.Itoa(f.Line), f.Receiver, f.Name, f.params()} {
			if i > 0 {
				entries = append(entries, '\t')
			}
			entries = append(entries, printable(field)...)
		}
		entries = append(entries, '\n')
	})
	end()
	return p, hashes, errors.Join(readErr, err)
}

// params are the parameter types as the signature has them.
func (f *codebaseFunction) params() string {
	declaring := declaringType(packagePart(f.Package), classPart(f.Receiver))
	if params, ok := strings.CutPrefix(f.Signature, declaring+"."+methodName(f.Name)+"("); ok {
		return strings.TrimSuffix(params, ")")
	}
	return "..."
}
