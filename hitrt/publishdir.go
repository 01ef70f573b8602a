// The work of `scavenger-wrap publish`. It is built into a program of its own, which
// sends what processes without a collector left in a directory. The linker drops this
// file from other programs.
//
// Everything goes out under the name of the latest process of a codebase, as if that
// process had sent it. First comes the codebase, in the same chunks with the same
// fingerprints; then the calls of each process; then, after a pause, the calls again,
// since the collector may have lost some to the import of the codebase (exporter.go).
// Only then are the files removed. If this is interrupted, it can be run again: the
// collector recognises what it has by fingerprint and time.

package hitrt

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

// publishPause is the time that the collector gets to store the codebase, and then
// the calls.
const publishPause = time.Second

// publishFiles is the number of files that are claimed at a time.
const publishFiles = 32

// A directory is one run of PublishDir.
type directory struct {
	path  string
	keep  bool
	pause time.Duration
	set   *settings
	step  func(name, outcome, detail, advice string)
}

// PublishDir sends the orphans in a directory, to the server that the settings and the
// environment name, under the names that are in the files. It removes files that were
// sent, unless keep is set. It writes a JSON object for each step, and stops at the
// first that the collector refuses.
func PublishDir(out io.Writer, settings, path string, keep bool) {
	d := &directory{path: path, keep: keep, pause: publishPause}
	d.run(out, settings)
}

func (d *directory) run(out io.Writer, settings string) {
	enc := json.NewEncoder(out)
	path := d.path
	d.set = loadSettings(&Program{Settings: settings}, os.LookupEnv)
	d.step = func(name, outcome, detail, advice string) {
		_ = enc.Encode(checkStep{name, outcome, withoutKey(detail, d.set.apiKey), advice})
	}
	for _, p := range d.set.problems {
		d.step("settings", "failed", p, "correct the value")
	}
	switch info, err := os.Stat(path); {
	case !d.set.collects():
		d.step("collector", "failed", "serverUrl or apiKey is not set", "set SCAVENGER_SERVER_URL and SCAVENGER_API_KEY, or both in scavenger.toml")
		return
	case err != nil:
		d.step("directory", "failed", err.Error(), "name the dataDir of the programs")
		return
	case !info.IsDir():
		d.step("directory", "failed", path+" is not a directory", "name the dataDir of the programs")
		return
	case !canLock:
		d.step("directory", "failed", "this system has no file locks, so it is unknown which processes live", "")
		return
	}
	for _, group := range d.groups() {
		if !d.publish(group) {
			return
		}
	}
}

// groups returns the files to send, grouped by application, environment and codebase.
func (d *directory) groups() [][]*orphan {
	paths := processFiles(d.path)
	if len(paths) == 0 {
		d.step("directory", "note", "no process has left anything in "+d.path, "")
	}
	var all []*orphan
	for _, path := range paths {
		if o := d.header(path); o != nil {
			all = append(all, o)
		}
	}
	slices.SortStableFunc(all, func(a, b *orphan) int { return strings.Compare(a.group(), b.group()) })
	var groups [][]*orphan
	for i, o := range all {
		if i == 0 || o.group() != all[i-1].group() {
			groups = append(groups, nil)
		}
		last := &groups[len(groups)-1]
		*last = append(*last, o)
	}
	return groups
}

func (o *orphan) group() string {
	return fmt.Sprintf("%q %q %q", o.header.AppName, o.header.Environment, o.header.Fingerprint)
}

// header reads the header of a file, nil if it cannot be sent. It does not keep the
// file open: there may be thousands.
func (d *directory) header(path string) *orphan {
	file, err := openFile(path, os.O_RDONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil // another process has sent it
	}
	o := &orphan{path: path}
	if err == nil {
		err = o.readHeader(file)
		_ = file.Close()
	}
	if err != nil {
		d.step(path, "failed", err.Error(), "it stays; the others are sent")
		return nil
	}
	return o
}

// publish sends the files of a group, and reports whether to go on with the next.
func (d *directory) publish(group []*orphan) bool {
	var e *exporter
	for part := range slices.Chunk(group, publishFiles) {
		claimed := d.claim(part)
		ok := len(claimed) == 0 || d.publishFiles(&e, claimed)
		for _, o := range claimed {
			o.held.release()
		}
		if !ok {
			return e == nil
		}
	}
	return true
}

// claim claims those of the files that no other process holds.
func (d *directory) claim(files []*orphan) (claimed []*orphan) {
	for _, file := range files {
		o, err := claimOrphan(file.path, func(*processHeader) bool { return true })
		switch {
		case err == nil:
			claimed = append(claimed, o)
		case errors.Is(err, errForeign):
			d.step(file.path, "note", "its process lives, or another one sends it: it stays", "")
		default:
			d.step(file.path, "failed", err.Error(), "it stays; the others are sent")
		}
	}
	return claimed
}

// publishFiles sends files of one group, and before the first of them the codebase.
// If the codebase cannot be read, *e stays nil.
func (d *directory) publishFiles(e **exporter, claimed []*orphan) bool {
	latest := slices.MaxFunc(claimed, func(a, b *orphan) int { return cmp.Compare(a.header.StartedAt, b.header.StartedAt) })
	program, hashes, err := latest.program()
	if err != nil {
		d.step(latest.path, "failed", err.Error(), "it stays, and so do the others of that codebase")
		return false
	}
	if *e == nil {
		*e = d.exporter(program, latest)
		defer (*e).client.closeIdle()
		if err := (*e).sendAll(); err != nil {
			d.refused(*e, "codebase", err)
			return false
		}
		d.step("codebase", "ok", fmt.Sprintf("%d functions of %s, environment %s", len(hashes), latest.header.AppName, latest.header.Environment), "")
	}
	for round := range 2 {
		time.Sleep(d.pause)
		for _, o := range claimed {
			n, err := (*e).sendCallsWhole(o, hashes)
			if err != nil {
				d.refused(*e, o.path, err)
				return false
			}
			if round == 1 {
				d.sent(o, n)
			}
		}
	}
	return true
}

// sent removes a file that was sent, unless it is to be kept.
func (d *directory) sent(o *orphan, calls int) {
	outcome := "sent"
	if !d.keep {
		if err := os.Remove(o.path); err != nil {
			d.step(o.path, "failed", "sent, and not removed: "+err.Error(), "remove it; to send it again does no harm")
			return
		}
		outcome = "sent and removed"
	}
	d.step(o.path, "ok", fmt.Sprintf("%d calls %s", calls, outcome), "")
}

// refused writes a step that the collector refused, and what to do about it.
func (d *directory) refused(e *exporter, step string, err error) {
	advice := "run it again later: what was not sent stays"
	if unauthenticated(err) {
		advice = "the collector does not know the api key: copy it from the dashboard of the workspace in Scavenger's web page"
	}
	d.step(step, "failed", fmt.Sprintf("%s: %v", cmp.Or(e.target, d.set.serverURL), err), advice)
}

// exporter returns an exporter that sends in the name of the latest process of a
// program.
func (d *directory) exporter(program *Program, latest *orphan) *exporter {
	set := *d.set
	set.dataDir = ""
	p := newPublisher(program, &set)
	p.log = newLogger(io.Discard, &set) // steps say what goes wrong
	h := &latest.header
	p.process, p.started = cmp.Or(clamp(h.Process, 40), newUUID()), time.UnixMilli(max(h.StartedAt, earliest))
	set.appName, set.appVersion, set.environment, set.hostname = h.AppName, h.AppVersion, h.Environment, h.Hostname
	set.applyDefaults()
	p.codebase = newCodebase(program.Packages)
	p.exporter = newExporter(p)
	return p.exporter
}

// sendAll polls, which makes the process known, and sends the whole codebase.
func (e *exporter) sendAll() error {
	if _, err := e.fetchConfig(); err != nil {
		return err
	}
	for !e.complete {
		limit := e.limit
		if err := e.publishChunk(); err != nil && e.limit == limit {
			return err
		}
	}
	return nil
}

// sendCallsWhole does what sendCalls does, with smaller messages if the collector
// refuses large ones.
func (e *exporter) sendCallsWhole(o *orphan, hashes [][16]byte) (int, error) {
	for {
		limit := e.limit
		if n, err := e.sendCalls(o, hashes); err == nil || e.limit == limit {
			return n, err
		}
	}
}

// program returns the program that o is of, as far as its codebase file has it, and
// the hashes of its functions.
func (o *orphan) program() (*Program, [][16]byte, error) {
	p := &Program{}
	var hashes [][16]byte
	var entries []byte
	var path string // of the package
	marks := 0
	var err error
	end := func() {
		if len(entries) > 0 {
			p.Packages = append(p.Packages, Package{Path: path, Marks: make([]uint8, marks), Entries: string(entries)})
		}
		entries, marks = nil, 0
	}
	readErr := o.codebase(func(f codebaseFunction, hash [16]byte) {
		if f.Package != path {
			end()
			path = f.Package
		}
		if hash != signatureHash(f.Package, f.Receiver, f.Name) {
			err = errors.New("written by a version of scavenger-wrap that names functions differently")
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

// params returns the parameter types as the signature has them.
func (f *codebaseFunction) params() string {
	declaring := declaringType(packagePart(f.Package), classPart(f.Receiver))
	if params, ok := strings.CutPrefix(f.Signature, declaring+"."+methodName(f.Name)+"("); ok {
		return strings.TrimSuffix(params, ")")
	}
	return "..."
}
