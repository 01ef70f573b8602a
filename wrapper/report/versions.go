// Versions: which builds are of one program.
//
// Names alone do not say it. Two single-file programs, or two modules of one
// name, may share application name and import path. Builds of one name are taken
// for versions of one program only if there is evidence for it, since the cost of
// a mistake differs: a version that is taken for another program leaves functions
// in the list that the user has deleted; another program that is taken for an
// older version takes functions out of the list that he has not.

package report

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
)

// A programKey is what programs are called.
type programKey struct {
	app  string
	main string // import path of the main package
	file string // with func main, if the program was built from single files
}

// singleFiles is the import path of every program that is built from files.
const singleFiles = "command-line-arguments"

// key returns what the program of a process with codebase c is called. Files of
// the first versions do not name the main package.
func (c *codebase) key(p *process) programKey {
	k := programKey{app: p.app, main: cmp.Or(p.main, c.main)}
	if k.main == singleFiles {
		k.file = c.mainFile
	}
	return k
}

// A program is one program with its builds.
type program struct {
	programKey
	builds []*build // the one that was first started last comes first
}

// A build is a codebase as one program used it. Programs share a codebase if the
// same functions are marked in them.
type build struct {
	*codebase
	key     programKey
	program *program
	module  string // import path of the main module, "" if unknown
	first   int64  // first start of one of its processes, 0 if unknown
	started int64  // last start
	end     int64  // the latest time known of one of its processes
	process string // the one that was started last, to break ties the same way every time
	ran     []*process
	mute    bool // all of them may have called anything, and written nothing of it

	all numberSet // functions
	own numberSet // those of the main module, without func main
}

// inUse reports whether b is the newest build of its program, or still ran when that had
// started: variants may run side by side, and somebody may have gone back to b.
func (b *build) inUse() bool {
	newest := b.program.builds[0]
	return b == newest || b.end >= newest.first
}

// mayRun reports whether b is in use as far as anybody knows: if the clocks of all its
// processes were never set, or were ahead, nobody knows when they ran. Such a build lists
// nothing, but what it cannot tell is not known.
func (b *build) mayRun() bool { return b.inUse() || !isSet(b.end) }

// since returns the first start of the build, as far as it is known.
func (b *build) since() int64 { return cmp.Or(b.first, b.started) }

func (b *build) add(p *process) {
	b.ran = append(b.ran, p)
	if isSet(p.first) && (b.first == 0 || p.first < b.first) {
		b.first = p.first
	}
	b.mute = b.mute && p.mute
	if cmp.Or(cmp.Compare(p.started, b.started), strings.Compare(p.id, b.process)) > 0 {
		b.started, b.process = p.started, p.id
	}
	b.end = max(b.end, p.end)
	b.module = max(b.module, p.module)
}

// programs sorts builds, of which the newest comes first, into
// programs.
func programs(builds []*build) []*program {
	byKey := map[programKey][]*build{}
	for _, b := range builds {
		byKey[b.key] = append(byKey[b.key], b)
	}
	numbers := map[identity]int{}
	var list []*program
	for key, builds := range byKey {
		if len(builds) > 1 {
			for _, b := range builds {
				b.number(numbers)
			}
		}
		var ofKey []*program
		for _, b := range builds {
			i := slices.IndexFunc(ofKey, func(p *program) bool { return p.has(b) })
			if i < 0 {
				i = len(ofKey)
				ofKey = append(ofKey, &program{programKey: key})
			}
			b.program = ofKey[i]
			b.program.builds = append(b.program.builds, b)
		}
		list = append(list, ofKey...)
	}
	slices.SortFunc(list, func(a, b *program) int {
		return cmp.Or(
			strings.Compare(a.app, b.app), strings.Compare(a.main, b.main), strings.Compare(a.file, b.file),
			latestFirst(a.builds[0], b.builds[0]),
		)
	})
	return list
}

// latestFirst orders builds by when they first ran. Their last start says less: an older
// build may be started again, for a roll-back or by a job that nobody updates, and the
// source that people work on is not that.
func latestFirst(a, b *build) int {
	return cmp.Or(cmp.Compare(b.since(), a.since()), cmp.Compare(b.started, a.started), strings.Compare(b.process, a.process), strings.Compare(b.key.app, a.key.app))
}

// has reports whether b, which first ran before all builds of p, is an older
// version of it: if it called functions of its own, and nothing that the newest one
// lacks, so that nothing is lost, or if it is mostly like the newest or the oldest so
// far.
func (p *program) has(b *build) bool {
	return p.builds[0].covers(b) || alike(p.builds[0], b) || alike(p.builds[len(p.builds)-1], b)
}

// covers reports whether b has all functions that were called in an older build,
// one at least among them that says that the two are of one program.
func (b *build) covers(older *build) bool {
	evidence := false
	for i, n := range older.numbers {
		if older.last[i] == 0 && older.entries[i].Presumed == 0 {
			continue
		}
		if !b.all.has(n) {
			return false
		}
		evidence = evidence || b.own.has(n) && older.own.has(n)
	}
	return evidence
}

// alike reports whether two builds have three quarters of the functions of the
// smaller one, and a quarter of those of the larger one, in common: more than half
// of a program may be deleted at once, and three of four functions of a small
// program that was generated are no evidence. If neither has functions of its own,
// they must have the same ones.
func alike(a, b *build) bool {
	x, y, common := a.own.count(), b.own.count(), a.own.common(b.own)
	if x == 0 && y == 0 {
		return slices.Equal(a.all, b.all)
	}
	return 4*common >= 3*min(x, y) && 4*common >= max(x, y)
}

// number fills in the sets. Functions that two builds have in common get the same
// number in both.
func (b *build) number(numbers map[identity]int) {
	fill := b.numbers == nil
	for i := range b.entries {
		e := &b.entries[i]
		if fill {
			n, ok := numbers[e.identity()]
			if !ok {
				n = len(numbers)
				numbers[e.identity()] = n
			}
			b.numbers = append(b.numbers, n)
		}
		n := b.numbers[i]
		b.all.add(n)
		if b.isOwn(e) {
			b.own.add(n)
		}
	}
}

// isOwn reports whether a function says something about which program it is in:
// dependencies may be marked in many programs, and each has a func main.
func (b *build) isOwn(e *entry) bool {
	if e.Receiver == "" && e.Name == "main" && e.Package == b.key.main {
		return false
	}
	return b.module == "" || e.Package == b.module || e.Package == b.key.main || strings.HasPrefix(e.Package, b.module+"/")
}

// A numberSet is a set of small numbers.
type numberSet []uint64

func (s *numberSet) add(n int) {
	for len(*s) <= n/64 {
		*s = append(*s, 0)
	}
	(*s)[n/64] |= 1 << (n % 64)
}

func (s *numberSet) union(other numberSet) {
	for i, word := range other {
		if i == len(*s) {
			*s = append(*s, 0)
		}
		(*s)[i] |= word
	}
}

func (s numberSet) has(n int) bool { return n/64 < len(s) && s[n/64]>>(n%64)&1 != 0 }

// names returns those of a list whose places are in the set.
func (s numberSet) names(list []string) (names []string) {
	for i, name := range list {
		if s.has(i) {
			names = append(names, name)
		}
	}
	return names
}

func (s numberSet) count() int { return s.common(s) }

// common returns how many numbers are in both sets.
func (s numberSet) common(other numberSet) int {
	n := 0
	for i := range min(len(s), len(other)) {
		n += bits.OnesCount64(s[i] & other[i])
	}
	return n
}
