// The codebase file, which lists a program's functions. It has a line of JSON for each
// function, between a header line and a line with the checksum of all lines before it.

package hitrt

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// dataFingerprint returns the fingerprint that names a codebase file. Stamps are found
// by their position, so it depends on the order of functions, unlike that of a chunk; it
// also depends on lines, which the report shows, and on which functions are not listed:
// a program that lists the same ones and calls others must not be taken for this one. The
// program's own fingerprint, if it has one, covers all of that.
func dataFingerprint(p *Program, environment string) string {
	h := datafile.NewSHA256()
	fmt.Fprintf(h, "scavenger-wrap data %d\n%q\n%s\n", datafile.CodebaseFormat, environment, p.Fingerprint)
	if p.Fingerprint != "" {
		return datafile.Hex(h.Sum(nil))
	}
	if len(p.Presumed) > 0 {
		fmt.Fprintf(h, "%q %v\n", p.Evidence, p.Presumed)
	}
	if p.Unlisted != "" {
		fmt.Fprintf(h, "%q\n", p.Unlisted)
	}
	for i := range p.Packages {
		p := &p.Packages[i]
		fmt.Fprintf(h, "%q %d\n", p.Path, len(p.Entries))
		_, _ = io.WriteString(h, p.Entries)
	}
	return datafile.Hex(h.Sum(nil))
}

// list writes the codebase file, unless another process of this build did. The hits file,
// which names it, may be there before: its calls can be read as soon as any process of
// the build has written the codebase file.
func (d *dataFile) list(now time.Time) {
	if d.listed || now.Before(d.retryAt) && !d.p.isExiting() || isElsewhere(d.root) {
		return
	}
	if err := d.listFunctions(); err != nil {
		d.retryAt = now.Add(dataRetry)
		d.warn("list", "listing the functions in dataDir", err)
	}
}

func (d *dataFile) listFunctions() error {
	if !d.hasCodebase(datafile.IsSealed) {
		datafile.RemoveStale(d.store.Dir) // others may have been killed as they wrote it
		if err := d.replaceCodebase(); err != nil {
			return err
		}
	}
	d.listed = true
	return nil
}

// verify reads the codebase file once and writes it anew if it is damaged. That takes
// too long for the start of a program.
func (d *dataFile) verify() {
	if d.verified || !d.listed || isElsewhere(d.root) {
		return
	}
	d.verified = true
	if d.hasCodebase(datafile.IsSound) {
		return
	}
	if err := d.replaceCodebase(); err != nil {
		d.verified = false
		d.warn("list", "listing the functions in dataDir", err)
	}
}

// hasCodebase reports whether there is a codebase file that readers believe, and that is
// as wanted. A program that gave up its rights may be unable to open its own, which is there
// all the same: what it writes in its place would belong to somebody else.
func (d *dataFile) hasCodebase(wanted func(*os.File) bool) bool {
	id := &d.store.Identity
	file, err := datafile.OpenCodebase(d.store.Dir, id.Fingerprint, id.UID)
	if errors.Is(err, fs.ErrPermission) {
		return d.ownsCodebase(-1) || d.ownsCodebase(id.UID)
	}
	if err != nil {
		return false
	}
	defer file.Close()
	return wanted(file)
}

// ownsCodebase reports whether the codebase file of one of its names is there and belongs to
// the user of the hits file.
func (d *dataFile) ownsCodebase(own int) bool {
	id := &d.store.Identity
	info, err := os.Lstat(filepath.Join(d.store.Dir, datafile.CodebaseName(id.Fingerprint, own)))
	return err == nil && info.Mode().IsRegular() && datafile.Owner(info) == id.UID
}

// replaceCodebase writes the codebase file, complete or not at all. If its name belongs
// to something of another user, it gets another name.
func (d *dataFile) replaceCodebase() error {
	id := &d.store.Identity
	path := filepath.Join(d.store.Dir, datafile.CodebaseName(id.Fingerprint, -1))
	if info, err := os.Lstat(path); err == nil && (!info.Mode().IsRegular() || datafile.Owner(info) != id.UID) {
		path = filepath.Join(d.store.Dir, datafile.CodebaseName(id.Fingerprint, id.UID))
	}
	return d.store.Replace(path, d.process.UUID, d.writeCodebase)
}

// writeCodebase writes the codebase file, and verifies the order of the stamps.
func (d *dataFile) writeCodebase(w io.Writer) error {
	h := datafile.NewSHA256()
	header := datafile.CodebaseHeader{
		Format: datafile.CodebaseFormat, Fingerprint: d.store.Identity.Fingerprint, Functions: d.functions, Unlisted: d.p.program.Unlisted,
	}
	line := append(header.AppendTo(nil), '\n')
	write := func() error {
		_, _ = h.Write(line)
		_, err := w.Write(line)
		return err
	}
	if err := write(); err != nil {
		return err
	}
	presumed := d.p.program.Presumed
	for i := range d.p.codebase.packages {
		p := &d.p.codebase.packages[i]
		var calls map[int]int64
		calls, presumed = presumedIn(i, presumed)
		path, file := packagePart(p.Path), ""
		stamps, n := &d.packages[i], 0
		for _, e := range p.entries() {
			if stamps.stamps == nil && e.index != n {
				return wrongOrder(p)
			}
			n++
			file = cmp.Or(e.file, file)
			hash := signatureHash(p.Path, e.receiver, e.name)
			first, count := e.lines()
			function := datafile.Function{
				Package:   p.Path,
				Receiver:  e.receiver,
				Name:      e.name,
				Signature: signature(declaringType(path, e.receiver), e.name, e.params),
				Hash:      datafile.Hex(hash[:]),
				File:      file,
				Line:      first,
				Lines:     count,
				Reason:    e.reason,
				Generated: e.generated(),
				Directive: e.directive,
			}
			if function.Presumed = calls[e.index]; function.Presumed != 0 {
				function.Evidence = d.p.program.Evidence
			}
			line = append(function.AppendTo(line[:0]), '\n')
			if err := write(); err != nil {
				return err
			}
		}
		if n != stamps.functions {
			return wrongOrder(p)
		}
	}
	_, err := w.Write(datafile.Seal(h.Sum(nil)))
	return err
}

// presumedIn splits off the calls of a package's functions without marks, by cell.
func presumedIn(pkg int, all []Presumed) (calls map[int]int64, rest []Presumed) {
	for len(all) > 0 && int(all[0].Package) == pkg {
		if calls == nil {
			calls = map[int]int64{}
		}
		calls[int(all[0].Cell)] = all[0].At
		all = all[1:]
	}
	return calls, all
}

// wrongOrder returns the error for a registry that is wrong about the order of p's
// functions. Without a codebase file nobody takes the calls of one function for those
// of another.
func wrongOrder(p *Package) error {
	return fmt.Errorf("internal error: %s does not have %d functions in the order of their cells", p.Path, p.InOrder)
}
