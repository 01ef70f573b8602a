// The table of plain archives of a build: a directory in the work directory of the go
// command, with one small file per package, and one with the content IDs of all.
// wrapper/plain makes it, once, from what a second go command answers that does the same
// build without us. Each of the hundreds of actions reads two files.

package early

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain/lean"
)

// A Package is the plain compilation of a package.
type Package struct {
	ImportPath string
	Archive    string
	BuildID    string
	Files      []string  // compile's, absolute; generated ones are in the build cache
	AsmFiles   []string  // asm's, without their directory
	Sources    []string  // what the plain archive was assembled from, absolute
	Since      time.Time // a time before the second go command read any of the files
	TakeAsm    bool      // there are no -asmflags, so assembled objects may be taken
	Modes      []string  // the flags of compile that stand for build flags, sorted
	Words      []string  // flags of compile that -gcflags may have added
}

// A Table is the directory with the plain archives of a build.
type Table struct {
	Dir string
}

// tableOf returns the table of the build in which a file is written. ok is false if it is
// not one by the go command. The table need not be there.
func tableOf(file string) (t Table, ok bool) {
	work := lean.WorkDirectory(file)
	return Table{work + string(os.PathSeparator) + "scavenger-plain"}, work != ""
}

// doneFile is the file that is written last: when it exists, the table is complete. If
// the table could not be made, the file says why.
const doneFile = "done"

// contentsFile is the file with a line for each package: its import path and the content
// ID of its plain archive.
const contentsFile = "contents"

var errNotInTable = errors.New("no plain archive")

func (t Table) file(name string) string { return t.Dir + string(os.PathSeparator) + name }

// ofPackage returns the file of a package. Import paths can be longer than names of files.
func (t Table) ofPackage(importPath string) string {
	h := fnv.New128a()
	h.Write([]byte(importPath))
	return t.file(fmt.Sprintf("%x", h.Sum(nil)))
}

// Done reports whether the table is complete.
func (t Table) Done() bool {
	_, err := os.Stat(t.file(doneFile))
	return err == nil
}

// SetDone makes the table complete. reason says why it could not be made, or is "".
func (t Table) SetDone(reason string) error {
	return os.WriteFile(t.file(doneFile), []byte(reason), 0o666)
}

// Write writes the packages of the table.
func (t Table) Write(packages []*Package) error {
	var contents bytes.Buffer
	for _, p := range packages {
		fmt.Fprintf(&contents, "%s %s\n", p.ImportPath, lean.ContentOf(p.BuildID))
		if err := os.WriteFile(t.ofPackage(p.ImportPath), p.text(), 0o666); err != nil {
			return err
		}
	}
	return os.WriteFile(t.file(contentsFile), contents.Bytes(), 0o666)
}

// find returns the plain compilation of a package.
func (t Table) find(importPath string) (*Package, error) {
	text, err := os.ReadFile(t.ofPackage(importPath))
	if errors.Is(err, fs.ErrNotExist) {
		if reason, err := os.ReadFile(t.file(doneFile)); err == nil && len(reason) > 0 {
			return nil, errors.New(string(reason))
		}
		return nil, errNotInTable
	}
	if err != nil {
		return nil, err
	}
	p, err := parsePackage(text)
	if err == nil && p.ImportPath != importPath {
		return nil, errNotInTable // another one of the same hash
	}
	return p, err
}

// contentIDs returns the content IDs of all plain archives by import path.
func (t Table) contentIDs() (map[string]string, error) {
	text, err := os.ReadFile(t.file(contentsFile))
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for line := range bytes.Lines(text) {
		if path, id, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(" ")); ok {
			ids[string(path)] = string(id)
		}
	}
	return ids, nil
}

// text returns the package as lines: the name of a field and its value in quotes.
func (p *Package) text() []byte {
	var b []byte
	line := func(name string, values ...string) {
		for _, value := range values {
			b = append(strconv.AppendQuote(append(append(b, name...), ' '), value), '\n')
		}
	}
	line("package", p.ImportPath)
	line("archive", p.Archive)
	line("id", p.BuildID)
	line("file", p.Files...)
	line("asm", p.AsmFiles...)
	line("source", p.Sources...)
	line("since", strconv.FormatInt(p.Since.UnixNano(), 10))
	line("takeAsm", strconv.FormatBool(p.TakeAsm))
	line("mode", p.Modes...)
	line("word", p.Words...)
	line("end", "")
	return b
}

// parsePackage is the inverse of text.
func parsePackage(text []byte) (*Package, error) {
	p := new(Package)
	whole := false
	for line := range bytes.Lines(text) {
		name, quoted, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(" "))
		value, err := strconv.Unquote(string(quoted))
		if err != nil {
			return nil, fmt.Errorf("table of plain archives: %q: %w", line, err)
		}
		switch string(name) {
		case "package":
			p.ImportPath = value
		case "archive":
			p.Archive = value
		case "id":
			p.BuildID = value
		case "file":
			p.Files = append(p.Files, value)
		case "asm":
			p.AsmFiles = append(p.AsmFiles, value)
		case "source":
			p.Sources = append(p.Sources, value)
		case "since":
			ns, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return nil, err
			}
			p.Since = time.Unix(0, ns)
		case "takeAsm":
			p.TakeAsm = value == "true"
		case "mode":
			p.Modes = append(p.Modes, value)
		case "word":
			p.Words = append(p.Words, value)
		case "end":
			whole = true
		default:
			return nil, fmt.Errorf("table of plain archives: %q is not known", line)
		}
	}
	if !whole {
		return nil, errors.New("table of plain archives: a file is cut off")
	}
	return p, nil
}
