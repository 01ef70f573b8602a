// The groups: what falls when what goes.

package plan

import (
	"cmp"
	"slices"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// A group is the part of the plan that a function is in.
type group int

const (
	none group = iota // it ran, or nothing is known of it
	unreachable
	entry
	falling
	kept
)

// stays reports whether code stays as it is if the plan is carried out.
func (d *decl) stays() bool { return (d.live || d.made) && (d.group == none || d.group == kept) }

// group finds the group of each function.
func (p *program) group() {
	for _, d := range p.decls {
		slices.SortFunc(d.refs, compareRefs)
		slices.SortFunc(d.out, compareRefs)
	}
	for _, in := range p.inits {
		slices.SortFunc(in.out, compareRefs)
	}
	p.revive()
	ours := p.modules() // as deadcode has it; of others, the functions count that the report has
	var dying []*decl   // never called, and a path leads to it
	for _, d := range p.decls {
		switch {
		case d.dead && (d.status == report.NeverCalled || d.status == NotListed && ours.MatchString(d.pkg)):
			d.group = unreachable
		case d.live && d.status == report.NeverCalled:
			d.group = falling // until something else is known
			dying = append(dying, d)
		}
	}
	p.findEntries(dying)
	for _, d := range dying {
		if d.group == kept {
			keepReferred(d)
		}
	}
	// What no entry leads to is a circle that refers to itself.
	for _, d := range dying {
		if d.group == entry {
			d.reach(func(to *decl) { to.owners = append(to.owners, d) })
		}
	}
	for _, d := range dying {
		if d.group == falling && len(d.owners) == 0 {
			d.keep(unseen, d.reflection())
			keepReferred(d)
		}
	}
}

func compareRefs(a, b *ref) int {
	return cmp.Or(cmp.Compare(a.pos, b.pos), cmp.Compare(a.kind, b.kind), cmp.Compare(a.what, b.what), cmp.Compare(a.from.String(), b.from.String()),
		cmp.Compare(a.to.String(), b.to.String()))
}

// revive finds what is not unreachable, whatever deadcode prints: what ran all the same,
// what may have run unseen, what other than Go code names, and all that these refer to.
func (p *program) revive() {
	var queue []*decl
	for _, d := range p.decls {
		if !d.live && (d.reason != "" || d.status != report.NeverCalled && d.status != NotListed) {
			queue = append(queue, d)
		}
	}
	for len(queue) > 0 {
		d := queue[0]
		queue = queue[1:]
		if d.live {
			continue
		}
		d.live, d.dead = true, false
		for _, r := range d.out {
			queue = append(queue, r.to)
		}
	}
}

// findEntries tells entries and what must stay, for a reason of its own, from what falls.
func (p *program) findEntries(dying []*decl) {
	next := make([]group, len(dying))
	for i, d := range dying {
		needs, refers, named, weak := (*ref)(nil), false, false, false
		for _, r := range d.refs {
			if !r.from.live && !r.from.made || r.from == d {
				continue
			}
			stays := r.from.group == none
			named = named || r.kind != Reflection
			weak = weak || r.kind == Reflection && !stays
			refers = refers || stays && r.kind.refers()
			if stays && r.kind.needs() && needs == nil {
				needs = r
			}
		}
		switch {
		case d.reason != "":
			next[i] = kept
		case needs != nil:
			next[i] = kept
			d.reason, d.because = needs.need(), needs
		case !named && weak && d.reflection() == nil:
			next[i], d.weak = falling, true
		case !named:
			next[i] = kept
			d.reason, d.because = unseen, d.reflection()
		case refers:
			next[i] = entry
		default:
			next[i] = falling
		}
	}
	for i, d := range dying {
		d.group = next[i]
	}
}

// unseen is why a method stays that no code names.
const unseen = "no path to it is seen: reflection or an assertion may call it"

// need says what an interface or a type parameter has to do with a method.
func (r *ref) need() string {
	switch r.kind {
	case Constraint:
		return "its type is a type argument for " + r.what
	case Assertion:
		return "its type is asserted of " + r.what
	}
	return "its type becomes " + r.what
}

// reflection returns a conversion that stays, after which reflection may call a method.
func (d *decl) reflection() *ref {
	for _, r := range d.refs {
		if r.kind == Reflection && r.from.live && r.from.group == none {
			return r
		}
	}
	return nil
}

func (d *decl) keep(reason string, because *ref) {
	d.group, d.reason, d.because, d.owners = kept, reason, because, nil
}

// keepReferred keeps what a function refers to that must stay. An entry is still one: the
// call of it can go, unless an interface needs it.
func keepReferred(d *decl) {
	queue := []*decl{d}
	for len(queue) > 0 {
		from := queue[0]
		queue = queue[1:]
		for _, r := range from.out {
			switch {
			case r.kind.needs() && (r.to.group == entry || r.to.group == falling):
				r.to.keep(r.need(), r)
			case r.kind.refers() && r.to.group == falling:
				r.to.keep("what refers to it must stay", r)
			case r.kind == Reflection && r.to.weak && r.to.group == falling:
				r.to.keep(unseen, r)
			default:
				continue
			}
			queue = append(queue, r.to)
		}
	}
}

// reach calls visit for each function that falls with an entry, or with it and others.
func (d *decl) reach(visit func(*decl)) {
	seen, queue := map[*decl]bool{d: true}, []*decl{d}
	for len(queue) > 0 {
		from := queue[0]
		queue = queue[1:]
		for _, r := range from.out {
			if (r.kind != Reflection || r.to.weak) && r.to.group == falling && !seen[r.to] {
				seen[r.to] = true
				visit(r.to)
				queue = append(queue, r.to)
			}
		}
	}
}
