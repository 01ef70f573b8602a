// Evidence: how long a function was observed, by how many processes, and where.

package report

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"
)

// Evidence is what the status of a function rests on: the processes of all builds in
// which it could be observed, of every program.
type Evidence struct {
	ObservedSince time.Time `json:"observedSince,omitzero"` // the first start of one of them
	ObservedFor   int64     `json:"observedFor"`            // seconds in which one of them ran
	Processes     int       `json:"processes"`
	Hosts         int       `json:"hosts"`
	Environments  int       `json:"environments"`
	Applications  int       `json:"applications"`
}

// A run is the time in which a process ran, or several did. Of several, only the sum of
// their running times is known.
type run struct{ from, to, lived int64 } // Unix milliseconds, and milliseconds

// newRun returns a run, an empty one if its times make no sense.
func newRun(from, to, lived, future int64) run {
	if !isSet(from) || to <= from || to > future || lived <= 0 {
		return run{}
	}
	return run{from, to, min(lived, to-from)}
}

// runningTime returns the milliseconds in which a process ran, or several. Where several
// processes have one run, each part of it counts as far as they ran in it on average,
// and not at all beside other runs that count for more. So it may be too long if
// processes of one host ran side by side.
func runningTime(runs []run) int64 {
	type edge struct {
		at    int64
		share float64 // of the time from here, or up to here
		end   bool
	}
	var edges []edge
	for _, r := range runs {
		if r.to > r.from {
			share := float64(r.lived) / float64(r.to-r.from)
			edges = append(edges, edge{r.from, share, false}, edge{r.to, share, true})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	whole, total := 0, 0.0
	var parts []float64 // the shares of the runs at hand that are not whole, sorted
	for i, e := range edges {
		if i > 0 {
			share := 0.0
			if whole > 0 {
				share = 1
			} else if len(parts) > 0 {
				share = parts[len(parts)-1]
			}
			total += share * float64(e.at-edges[i-1].at)
		}
		at, _ := slices.BinarySearch(parts, e.share)
		switch {
		case e.share == 1 && e.end:
			whole--
		case e.share == 1:
			whole++
		case e.end:
			parts = slices.Delete(parts, at, at+1)
		default:
			parts = slices.Insert(parts, at, e.share)
		}
	}
	return int64(total)
}

// A witness sums up processes.
type witness struct {
	from, to                  int64 // 0 if unknown
	processes                 int
	hosts, environments, apps map[string]bool
	versions                  map[string]bool
	runs                      []run
}

func newWitness() *witness {
	return &witness{hosts: map[string]bool{}, environments: map[string]bool{}, apps: map[string]bool{}, versions: map[string]bool{}}
}

// add adds the processes of a build.
func (w *witness) add(b *build) {
	for _, p := range b.ran {
		w.processes += p.count
		w.hosts[p.host], w.environments[p.environment], w.apps[p.app], w.versions[p.version] = true, true, true, true
		// A clock that was never set must not stretch the time observed.
		if isSet(p.first) && (w.from == 0 || p.first < w.from) {
			w.from = p.first
		}
		w.to = max(w.to, p.end)
		w.runs = append(w.runs, p.run)
	}
}

// seconds returns how long one of the processes ran.
func (w *witness) seconds() int64 { return runningTime(w.runs) / 1000 }

// evidence returns what the processes prove.
func (w *witness) evidence() Evidence {
	return Evidence{
		ObservedSince: fromMillis(w.from), ObservedFor: w.seconds(), Processes: w.processes,
		Hosts: len(w.hosts), Environments: len(w.environments), Applications: len(w.apps),
	}
}

// A witnessed is what builds prove, and the latest time that is known of them.
type witnessed struct {
	Evidence
	to time.Time
}

// witnessesOf returns what the builds in a set prove.
func witnessesOf(builds []*build, set numberSet) witnessed {
	w := newWitness()
	for i, b := range builds {
		if set.has(i) {
			w.add(b)
		}
	}
	return witnessed{w.evidence(), fromMillis(w.to)}
}

// A setTable has the result of a function for each set. Most functions of a program have
// one of a few sets, and often that of the function before.
type setTable[T any] struct {
	result     func(set numberSet) T
	known      map[string]T
	last       numberSet
	lastResult T
}

func newSetTable[T any](result func(set numberSet) T) *setTable[T] {
	return &setTable[T]{result: result, known: map[string]T{}, lastResult: result(nil)}
}

// of returns the result for a set.
func (t *setTable[T]) of(set numberSet) T {
	if slices.Equal(set, t.last) {
		return t.lastResult
	}
	var key []byte
	for _, word := range set {
		key = binary.LittleEndian.AppendUint64(key, word)
	}
	v, ok := t.known[string(key)]
	if !ok {
		v = t.result(set)
		t.known[string(key)] = v
	}
	t.last, t.lastResult = set, v
	return v
}
