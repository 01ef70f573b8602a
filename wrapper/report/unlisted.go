// What a build in use does not list, but may call.
//
// Two programs need not mark the same: one may leave out a package that the other marks.
// Then the other one alone knows whether it called a function there, and the first may
// call it all day. So a codebase says which functions of the build it does not list. A
// function that the build lists is judged by what its processes say.

package report

import (
	"cmp"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// A blindBuild is a build that says what it does not observe.
type blindBuild struct {
	*build
	functions []*function // that it lists
}

// newBlindBuild returns nil for a build that says nothing, as those of earlier versions do.
func newBlindBuild(b *build) *blindBuild {
	if b.unlisted == "" {
		return nil
	}
	return &blindBuild{build: b, functions: make([]*function, 0, len(b.entries))}
}

func (b *blindBuild) add(f *function) {
	if b != nil {
		b.functions = append(b.functions, f)
	}
}

// hide gives a reason to those functions of a list that the build may have called without
// a trace, and notes until when it may have done so if it is not in use any more. number is
// the build's own.
func (b *blindBuild) hide(list []*function, number int) {
	for _, f := range b.functions {
		f.listed = number
	}
	u, mayRun := b.parse(), b.mayRun()
	for _, f := range list {
		if f.listed == number || f.removed || f.reason != "" {
			continue
		}
		switch why := u.why(f.entry); {
		case why == "":
		case mayRun:
			f.reason = why + " in " + b.name()
		default:
			f.blindTo = max(f.blindTo, b.end)
		}
	}
}

// name returns what a reason calls the build.
func (b *blindBuild) name() string {
	name := cmp.Or(b.key.file, b.key.main, b.key.app)
	switch {
	case b.build == b.program.builds[0]:
		return name
	case b.inUse():
		return "an older build of " + name
	}
	return "a build of " + name + " that ran at an unknown time"
}

// An unlisted is what a codebase says of the functions that it does not list.
type unlisted struct {
	all      bool             // there may be any function
	literals bool             // there may be function literals in each of its packages
	packages map[string]names // what is left out of them, nil for any function
	marked   names            // the packages of which it lists functions
}

type names map[string]bool

// parse reads the words of [datafile.CodebaseHeader].
func (b *blindBuild) parse() *unlisted {
	u := &unlisted{packages: map[string]names{}, marked: names{}}
	for word := range strings.FieldsSeq(b.unlisted) {
		path, list, some := strings.Cut(word, ":")
		switch {
		case word == datafile.AnyFunction:
			u.all = true
		case word == datafile.AnyLiteral:
			u.literals = true
		case some:
			u.packages[path] = names{}
			for name := range strings.SplitSeq(list, ",") {
				u.packages[path][name] = true
			}
		default:
			u.packages[path] = nil
		}
	}
	for _, f := range b.functions {
		u.marked[f.Package] = true
	}
	return u
}

// why returns why a function that is not listed may be in the build all the same, or "" if
// it is not in it.
func (u *unlisted) why(e *entry) string {
	leftOut, linked := u.packages[e.Package]
	marked := u.marked[e.Package]
	switch {
	case linked && leftOut == nil && !marked:
		return "not marked"
	case u.all, linked && leftOut == nil, leftOut[e.baseName()]:
		return "left out"
	// No name of another function has a dot in it.
	case u.literals && (linked || marked) && strings.Contains(e.Name, "."):
		return "left out"
	}
	return ""
}

// baseName returns the name of the function as codebases have it of those that they do not
// list.
func (e *entry) baseName() string {
	if id := e.identity(); id.base != "" {
		return id.base + "." + id.name
	}
	return e.Name
}
