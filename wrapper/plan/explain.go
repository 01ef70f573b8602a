// Why a function is in its group.

package plan

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// A Step is one reference on the way from main to a function.
type Step struct {
	Site
	To string `json:"to"`
}

// An Explanation says why a function is in its group.
type Explanation struct {
	Function
	Group  string   `json:"group"` // "" if it is in none
	Reason string   `json:"reason"`
	With   []string `json:"fallsWith"` // the entries that it falls with
	Path   []Step   `json:"path"`      // the shortest from main or an initialiser
}

// Explain looks a function up by its name or the end of it, written as the runtime or as
// deadcode does.
func (p *Plan) Explain(name string) (*Explanation, error) {
	d, err := p.program.find(name)
	if err != nil {
		return nil, err
	}
	e := &Explanation{Function: p.program.function(d), With: []string{}, Path: p.program.path(d)}
	switch d.group {
	case unreachable:
		e.Group, e.Reason = "unreachable", "no path from main or an initialiser leads to it"
	case entry:
		e.Group, e.Reason = "entry", "never called, and code that stays refers to it"
	case falling:
		e.Group, e.Reason = "falls with", "never called, and only entries lead to it"
	case kept:
		e.Group, e.Reason = "must stay", d.reason
		if r := d.because; r != nil {
			s := p.program.site(r)
			e.Reason += fmt.Sprintf(": %s:%d in %s", s.File, s.Line, s.Caller)
		}
	case none:
		e.Reason = "it is in no group, as it is " + string(d.status)
	}
	for _, o := range d.owners {
		e.With = append(e.With, o.String())
	}
	slices.Sort(e.With)
	return e, nil
}

// find returns the function that a name or the end of one means.
func (p *program) find(name string) (*decl, error) {
	want := plain(name)
	var exact, ends []*decl
	for _, d := range p.decls {
		have := plain(d.String())
		inMain := "main." + strings.TrimPrefix(have, d.pkg+".") // as in a stack trace
		switch {
		case !p.seen[d.pkg]:
		case have == want || inMain == want && slices.Contains(p.mains, d.pkg):
			exact = append(exact, d)
		case strings.HasSuffix(have, "."+want) || strings.HasSuffix(have, "/"+want):
			ends = append(ends, d)
		}
	}
	if len(exact) == 0 {
		exact = ends
	}
	switch len(exact) {
	case 0:
		return nil, fmt.Errorf("no function %q in the program: name it as example.com/app.(*Type).Method", name)
	case 1:
		return exact[0], nil
	}
	const few = 5
	var names []string
	for _, d := range exact[:min(len(exact), few)] {
		names = append(names, d.String())
	}
	return nil, fmt.Errorf("%d functions are called %q, name one in full: %s", len(exact), name, strings.Join(names, ", "))
}

// plain takes from a name what the runtime has and deadcode has not.
func plain(name string) string {
	return strings.NewReplacer("(*", "", "(", "", ")", "").Replace(name)
}

// path returns the shortest path from main, or else from an initialiser.
func (p *program) path(d *decl) []Step {
	var mains, inits []*decl
	for _, fn := range p.roots {
		if root := p.byFn[fn]; root.syntax != nil {
			mains = append(mains, root)
		}
	}
	for _, in := range p.inits {
		inits = append(inits, in)
	}
	for _, other := range p.decls {
		if other.base == "" && other.name == "init" && other.live {
			inits = append(inits, other)
		}
	}
	slices.SortFunc(inits, func(a, b *decl) int {
		return cmp.Or(cmp.Compare(a.pkg, b.pkg), cmp.Compare(a.fn.Pos(), b.fn.Pos()))
	})
	for _, roots := range [][]*decl{mains, inits} {
		if path := p.search(roots, d); path != nil {
			return path
		}
	}
	return []Step{}
}

// search goes breadth first, so that the path is the shortest.
func (p *program) search(roots []*decl, target *decl) (path []Step) {
	by := map[*decl]*ref{}
	for _, root := range roots {
		by[root] = nil
	}
	for queue := slices.Clone(roots); len(queue) > 0; queue = queue[1:] {
		if d := queue[0]; d == target {
			for r := by[d]; r != nil; r = by[r.from] {
				path = append(path, Step{Site: p.site(r), To: r.to.String()})
			}
			slices.Reverse(path)
			return path
		}
		for _, r := range queue[0].out {
			if _, ok := by[r.to]; !ok {
				by[r.to] = r
				queue = append(queue, r.to)
			}
		}
	}
	return nil
}

// WriteText writes the explanation for people.
func (e *Explanation) WriteText(w io.Writer) error {
	t := newText(w)
	t.printf("%s  %s\n", e.name(), e.place())
	if e.Group != "" {
		t.printf("  %s: %s\n", e.Group, report.Printable(e.Reason))
	} else {
		t.printf("  %s\n", e.Reason)
	}
	status := string(e.Status)
	if e.Presumed != "" {
		status += " (presumed by " + report.Printable(e.Presumed) + ")"
	}
	t.printf("  evidence: %s, %s\n", status, plural(e.Lines, "line"))
	for _, with := range e.With {
		t.printf("  falls with %s\n", report.Printable(with))
	}
	if len(e.Path) == 0 {
		t.printf("\nNo path from main or an initialiser is seen in the source.\n")
		return t.Flush()
	}
	t.printf("\n%s  (%s)\n", report.Printable(e.Path[0].Caller), e.Path[0].Status)
	for i, s := range e.Path {
		status := e.Status
		if i+1 < len(e.Path) {
			status = e.Path[i+1].Status
		}
		t.printf("  %s:%d  %s %s  (%s)\n", report.Printable(s.File), s.Line, s.Kind.verb(), report.Printable(s.To), status)
	}
	return t.Flush()
}

// verb says what code does with the function that it refers to.
func (k Kind) verb() string {
	switch k {
	case Call:
		return "calls"
	case Value:
		return "has as a value"
	}
	if k == Assertion {
		return "asks for the type of"
	}
	return "makes an interface of the type of" // a type argument is put where one is wanted
}
