// The data of the page: columns rather than objects, and each text once.

package html

import (
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/output"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// A document is what data.js reads. Times are seconds since 1970, 0 if unknown.
type document struct {
	Observed observed  `json:"observed"`
	Complete bool      `json:"complete"`
	Filter   string    `json:"filter"`
	Selected string    `json:"selected"` // which functions, "" for all
	Removed  int       `json:"removed"`
	Unseen   int       `json:"unseen"`
	Mute     []string  `json:"mute"` // titles of programs
	Programs []program `json:"programs"`
	Problems []string  `json:"problems"`

	Baseline *baseline `json:"baseline"`

	Packages   []string   `json:"packages"`
	Modules    []string   `json:"modules"`
	Receivers  []string   `json:"receivers"`
	Signatures []string   `json:"signatures"` // see shortSignature
	Reasons    []string   `json:"reasons"`
	Keeps      []keep     `json:"keeps"` // the first is for functions without one
	CalledIn   [][]string `json:"calledIn"`
	Presumed   []string   `json:"presumed"` // names of evidence; the first is for functions without
	Evidences  []evidence `json:"evidences"`
	Files      files      `json:"files"`
	Functions  functions  `json:"functions"`
}

type observed struct {
	From         int64    `json:"from"`
	To           int64    `json:"to"`
	For          int64    `json:"for"`
	Processes    int      `json:"processes"`
	Hosts        int      `json:"hosts"`
	Builds       int      `json:"builds"`
	Environments []string `json:"environments"`
}

// A baseline is what changed since an earlier report.
type baseline struct {
	File      string          `json:"file"`
	To        int64           `json:"to"`
	NewlyDead []report.Change `json:"newlyDead"`
	CameAlive []report.Change `json:"cameAlive"`
	New       []report.Change `json:"new"`
	Gone      []report.Change `json:"gone"`
	Notes     []string        `json:"notes"`
}

type program struct {
	Title  string  `json:"title"`
	Builds []build `json:"builds"`
}

type build struct {
	Versions     []string `json:"versions"`
	Environments []string `json:"environments"`
	Functions    int      `json:"functions"`
	Processes    int      `json:"processes"`
	From         int64    `json:"from"`
	To           int64    `json:"to"`
	For          int64    `json:"for"`
	InUse        bool     `json:"inUse"`
}

type evidence struct {
	Since        int64 `json:"since"`
	For          int64 `json:"for"`
	Processes    int   `json:"processes"`
	Hosts        int   `json:"hosts"`
	Environments int   `json:"environments"`
	Applications int   `json:"applications"`
}

// files are the files, in the order of their functions.
type files struct {
	Name      []string      `json:"name"`
	Package   []int         `json:"package"`
	Module    []int         `json:"module"`
	Functions []int         `json:"functions"` // how many
	Source    []sourceState `json:"source"`
}

// functions are the functions in the order of the report, so those of a file together.
type functions struct {
	Name      []string `json:"name"`
	Receiver  []int    `json:"receiver"`
	Signature []int    `json:"signature"`
	Line      []int    `json:"line"`
	Lines     []int    `json:"lines"`
	Status    string   `json:"status"` // a digit each
	Last      []int64  `json:"last"`
	CalledIn  []int    `json:"calledIn"`
	Presumed  []int    `json:"presumed"`
	Evidence  []int    `json:"evidence"`
	Reason    []int    `json:"reason"`
	Keep      []int    `json:"keep"`
	Generated string   `json:"generated"` // 1 for each that is, else 0
	LinkedOut string   `json:"linkedOut"`
}

type keep struct {
	Reason  string `json:"reason"`
	Until   string `json:"until"`
	From    string `json:"from"`
	Expired bool   `json:"expired"`
}

// keptDigit is the status of what was never called and stays all the same.
const keptDigit = '4'

// digits are the statuses as functions has them.
var digits = map[report.Status]byte{report.NeverCalled: '0', report.Called: '1', report.NotObservable: '2', report.Unknown: '3'}

// A table has each value once.
type table[K comparable, V any] struct {
	numbers map[K]int
	values  *[]V
}

func newTable[K comparable, V any](values *[]V) table[K, V] {
	*values = []V{}
	return table[K, V]{map[K]int{}, values}
}

func (t *table[K, V]) number(key K, value V) int {
	n, ok := t.numbers[key]
	if !ok {
		n = len(*t.values)
		t.numbers[key] = n
		*t.values = append(*t.values, value)
	}
	return n
}

// collect returns the data of the page, and by file the texts that it shows.
func collect(r *report.Report, source *Source) (*document, map[int]string) {
	d := newDocument(r)
	packages, modules := newTable[string](&d.Packages), newTable[string](&d.Modules)
	receivers, signatures, reasons := newTable[string](&d.Receivers), newTable[string](&d.Signatures), newTable[string](&d.Reasons)
	calledIn, evidences := newTable[string](&d.CalledIn), newTable[report.Evidence](&d.Evidences)
	presumed := newTable[string](&d.Presumed)
	presumed.number("", "")
	keeps := newTable[keep](&d.Keeps)
	keeps.number(keep{}, keep{})
	out, in := &d.Functions, &d.Files
	var status, generated, linkedOut []byte
	for i := range r.Functions {
		f := &r.Functions[i]
		if i == 0 || r.Functions[i-1].File != f.File || r.Functions[i-1].Package != f.Package {
			in.Name = append(in.Name, f.File)
			in.Package = append(in.Package, packages.number(f.Package, f.Package))
			in.Module = append(in.Module, modules.number(f.Module, f.Module))
			in.Functions = append(in.Functions, 0)
		}
		in.Functions[len(in.Functions)-1]++
		signature := shortSignature(f)
		out.Name = append(out.Name, f.Name)
		out.Receiver = append(out.Receiver, receivers.number(f.Receiver, f.Receiver))
		out.Signature = append(out.Signature, signatures.number(signature, signature))
		out.Line = append(out.Line, f.Line)
		out.Lines = append(out.Lines, f.Lines)
		status = append(status, digit(f))
		generated, linkedOut = append(generated, bit(f.Generated)), append(linkedOut, bit(f.LinkedOut))
		k := keepOf(f)
		out.Keep = append(out.Keep, keeps.number(k, k))
		out.Last = append(out.Last, seconds(f.LastCalledAt))
		out.CalledIn = append(out.CalledIn, calledIn.number(strings.Join(f.CalledIn, "\x00"), list(f.CalledIn)))
		out.Presumed = append(out.Presumed, presumed.number(f.Presumed, f.Presumed))
		out.Evidence = append(out.Evidence, evidences.number(f.Evidence, evidence{
			seconds(f.ObservedSince), f.ObservedFor, f.Processes, f.Hosts, f.Environments, f.Applications,
		}))
		out.Reason = append(out.Reason, reasons.number(f.Reason, f.Reason))
	}
	out.Status, out.Generated, out.LinkedOut = string(status), string(generated), string(linkedOut)
	var texts map[int]string
	in.Source, texts = source.read(r, in.Functions)
	return d, texts
}

func digit(f *report.Function) byte {
	if f.Status == report.NeverCalled && !f.Deletable() {
		return keptDigit
	}
	return digits[f.Status]
}

func bit(b bool) byte {
	if b {
		return '1'
	}
	return '0'
}

func keepOf(f *report.Function) keep {
	if f.Keep == nil {
		return keep{}
	}
	return keep{f.Keep.Reason, f.Keep.Until, f.Keep.From, f.Keep.Expired}
}

// newDocument returns what is said of all functions together.
func newDocument(r *report.Report) *document {
	o := &r.Observed
	d := &document{
		Observed: observed{seconds(o.From), seconds(o.To), o.ObservedFor, o.Processes, o.Hosts, o.Builds, list(o.Environments)},
		Complete: r.Complete(), Filter: r.Filter.String(), Selected: output.SelectionText(&r.Selection), Removed: len(r.Removed), Unseen: r.Unseen,
		Mute: []string{}, Programs: []program{}, Problems: []string{},
		Files: files{Name: []string{}, Package: []int{}, Module: []int{}, Functions: []int{}},
		Functions: functions{
			Name: []string{}, Receiver: []int{}, Signature: []int{}, Line: []int{}, Lines: []int{}, Last: []int64{},
			CalledIn: []int{}, Presumed: []int{}, Evidence: []int{}, Reason: []int{}, Keep: []int{},
		},
	}
	for i := range r.Mute {
		d.Mute = append(d.Mute, output.ProgramTitle(&r.Mute[i]))
	}
	for i := range r.Programs {
		p := &r.Programs[i]
		out := program{Title: output.ProgramTitle(p), Builds: []build{}}
		for _, b := range p.Builds {
			out.Builds = append(out.Builds, build{list(b.Versions), list(b.Environments), b.Functions, b.Processes, seconds(b.From), seconds(b.To), b.ObservedFor, b.InUse})
		}
		d.Programs = append(d.Programs, out)
	}
	if b := r.Baseline; b != nil {
		d.Baseline = &baseline{b.File, seconds(b.To), list(b.NewlyDead), list(b.CameAlive), list(b.New), list(b.Gone), list(b.Notes)}
	}
	for _, p := range r.Problems {
		d.Problems = append(d.Problems, p.Error())
	}
	return d
}

// shortSignature returns a signature without what the other columns say. The page puts it
// together again: see signature in data.js.
func shortSignature(f *report.Function) string {
	class := strings.TrimPrefix(f.Receiver, "*")
	switch {
	case class == "":
		class = "func"
	case class[0] < 'A' || class[0] > 'Z':
		class += "~type"
	}
	rest, ok := strings.CutPrefix(f.Signature, strings.ReplaceAll(f.Package, "/", ".")+"."+class+"."+f.Name)
	if ok && strings.HasPrefix(rest, "(") {
		return rest
	}
	return f.Signature
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// list returns a list that JSON writes as one.
func list[T any](values []T) []T {
	if values == nil {
		return []T{}
	}
	return values
}
