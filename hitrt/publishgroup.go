//go:build !nonetwork && !program

// How publish sends the files of a group, whose calls are of one codebase: under the name of
// the latest process.

package hitrt

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// publishFiles is the number of files whose calls are sent before a pause.
const publishFiles = 32

// publish sends the files of a group, and reports whether to go on with the next.
func (d *directory) publish(group []*publication) bool {
	latest := slices.MaxFunc(group, func(a, b *publication) int { return cmp.Compare(a.started, b.started) })
	program, hashes, err := latest.program()
	if err != nil {
		d.step(latest.path, "failed", err.Error(), "it stays, and so do the others of that codebase")
		return true
	}
	e := d.exporter(program, latest)
	defer e.client.closeIdle()
	if err := e.sendAll(); err != nil {
		d.refused(e, "codebase", err)
		return false
	}
	d.step("codebase", "ok", fmt.Sprintf("%d functions of %s, environment %s", len(hashes), latest.id.AppName, latest.id.Environment), "")
	for part := range slices.Chunk(group, publishFiles) {
		if !d.publishFiles(e, part, hashes) {
			return false
		}
	}
	return true
}

// publishFiles sends the calls in some files twice.
func (d *directory) publishFiles(e *exporter, part []*publication, hashes [][16]byte) bool {
	for _, p := range part {
		again, err := d.read(p.path)
		if again != nil && again.group() != p.group() {
			again, err = nil, errors.New("another file took its place")
		}
		if again == nil {
			d.step(p.path, "failed", err.Error(), "it stays; the others are sent")
			continue
		}
		p.calls = again.calls
	}
	for round := range 2 {
		time.Sleep(d.pause)
		if err := e.sendPresumed(round); err != nil {
			d.refused(e, "presumed calls", err)
			return false
		}
		for _, p := range part {
			n, err := e.sendCallsWhole(p.calls, hashes)
			if err != nil {
				d.refused(e, p.path, err)
				return false
			}
			switch err := d.note(p.orphan, round); {
			case round == 0: // the second note is enough
			case err != nil:
				d.step(p.path, "failed", "sent, and not noted there: "+err.Error(), "it will be sent again, which does no harm")
			default:
				d.step(p.path, "ok", fmt.Sprintf("%d calls sent", n), "")
			}
		}
	}
	for _, p := range part {
		p.calls = nil
	}
	return true
}

// note writes to a file that the collector accepted its calls once, or twice.
func (d *directory) note(o *orphan, round int) error {
	if d.keep {
		return nil
	}
	_, err := o.store.Update(&datafile.Update{State: []datafile.State{datafile.Once, datafile.Sent}[round], Calls: func(yield func(int, int64) bool) {
		for _, c := range o.calls {
			if !yield(c.function, c.at) {
				return
			}
		}
	}})
	return err
}

// refused writes a step that the collector refused, and what to do about it.
func (d *directory) refused(e *exporter, step string, err error) {
	advice := "run it again later: what was not sent stays"
	switch aboutTLS := adviceAboutTLS(err, d.set.serverURL); {
	case unauthenticated(err):
		advice = "the collector does not know the api key: copy it from the dashboard of the workspace in Scavenger's web page"
	case isOther(err):
		advice = notPage + "; what was not sent stays"
	case aboutTLS != "" && e.target == "":
		advice = aboutTLS + "; what was not sent stays"
	}
	d.step(step, "failed", fmt.Sprintf("%s: %v", cmp.Or(e.target, d.set.serverURL), err), advice)
}

// isOther reports whether an answer comes from something else than a collector, which
// will not be one later either.
func isOther(err error) bool {
	var status *statusError
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return true
	}
	return errors.As(err, &status) && (300 <= status.http && status.http < 400 ||
		slices.Contains([]int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone}, status.http))
}

// exporter returns an exporter that sends in the name of the latest process of a
// program.
func (d *directory) exporter(program *Program, latest *publication) *exporter {
	set := *d.set
	set.dataDir = ""
	p := newPublisher(program, &set)
	p.log = newLogger(io.Discard, &set) // steps say what goes wrong
	h := &latest.id
	p.process, p.started = cmp.Or(latest.process, newUUID()), time.UnixMilli(max(latest.started, datafile.MinTime))
	set.appName, set.appVersion, set.environment, set.hostname = h.AppName, h.AppVersion, h.Environment, h.Hostname
	set.applyDefaults()
	p.codebase = newCodebase(program.Packages)
	p.exporter = newExporter(p)
	return p.exporter
}

// sendAll polls, which makes the process known, and sends the whole codebase.
func (e *exporter) sendAll() error {
	if _, err := e.fetchConfig(pollTimeout); err != nil {
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

// sendPresumed sends the calls of functions without marks. They are in the files too, unless
// a process was killed before it wrote anything.
func (e *exporter) sendPresumed(round int) error {
	for {
		limit := e.limit
		send := e.sendUnsent
		if round > 0 {
			send = e.sendAgain
		}
		if err := send(); err == nil || e.limit == limit {
			return err
		}
	}
}

// sendCallsWhole does what sendCalls does, with smaller messages if the collector
// refuses large ones.
func (e *exporter) sendCallsWhole(calls []pastCall, hashes [][16]byte) (int, error) {
	for {
		limit := e.limit
		if n, err := e.sendCalls(calls, hashes); err == nil || e.limit == limit {
			return n, err
		}
	}
}

// program returns the program that a file is of, as far as its codebase file has it, and
// the hashes of its functions.
func (p *publication) program() (*Program, [][16]byte, error) {
	program := &Program{}
	var hashes [][16]byte
	var entries []byte
	var path string // of the package
	cells := 0
	end := func() {
		if len(entries) > 0 {
			program.Packages = append(program.Packages, Package{Path: path, Marks: make([]uint8, cells), Entries: string(entries)})
		}
		entries, cells = nil, 0
	}
	err := p.functions(func(f *datafile.Function, hash [16]byte) error {
		if f.Package != path {
			end()
			path = f.Package
		}
		if hash != signatureHash(f.Package, f.Receiver, f.Name) {
			return errors.New("written by a version of scavenger-wrap that names functions differently")
		}
		hashes = append(hashes, hash)
		index := "-" + f.Reason
		if f.Reason == "" {
			index = strconv.Itoa(cells)
			if f.Presumed != 0 {
				program.Presumed = append(program.Presumed, Presumed{int32(len(program.Packages)), int32(cells), f.Presumed})
			}
			cells++
		}
		for i, field := range []string{index, f.File, strconv.Itoa(f.Line), f.Receiver, f.Name, params(f)} {
			if i > 0 {
				entries = append(entries, '\t')
			}
			entries = append(entries, printable(field)...)
		}
		entries = append(entries, '\n')
		return nil
	}, p.owner, os.Geteuid())
	end()
	return program, hashes, err
}

// params returns the parameter types as the signature has them, also one of an earlier
// version, which wrote the names before them in another way.
func params(f *datafile.Function) string {
	if _, params, ok := strings.Cut(f.Signature, "("); ok {
		return strings.TrimSuffix(params, ")")
	}
	return "…"
}
