package hitrt

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

func TestSweep(t *testing.T) {
	var backing [4]uint64 // 8-aligned
	whole := bytesOf(backing[:])
	tests := []struct {
		name    string
		marks   []uint8
		cleared bool
	}{
		{"aligned", whole[:32], true},
		{"one_word", whole[8:12], true},
		{"odd_length", whole[:30], false},
		{"odd_address", whole[1:29], false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			clear(whole)
			want := []int{0, 3, len(test.marks) - 1}
			want = slices.Compact(want)
			for _, i := range want {
				test.marks[i] = 1
			}
			var got []int
			sweep(test.marks, func(i int) { got = append(got, i) })
			if !slices.Equal(got, want) {
				t.Errorf("hits %v, want %v", got, want)
			}
			got = nil
			sweep(test.marks, func(i int) { got = append(got, i) })
			if test.cleared && got != nil || !test.cleared && !slices.Equal(got, want) {
				t.Errorf("hits of a second sweep %v, cleared should be %v", got, test.cleared)
			}
		})
	}
	sweep(nil, func(i int) { t.Errorf("hit %d without marks", i) })
}

// A mark is cleared after it was handed over, not before: in between, the process
// may be killed. One that is set meanwhile is not lost.
func TestSweepOrder(t *testing.T) {
	marks := bytesOf(make([]uint64, 1))
	marks[1] = 1
	var got []int
	sweep(marks, func(i int) {
		if marks[i] == 0 {
			t.Errorf("mark %d is cleared before hit has returned", i)
		}
		got = append(got, i)
		marks[2], marks[7] = 1, 1 // in the same word, and in the next one
	})
	for i, want := range []bool{false, true, true, false, false, false, false, true} {
		if slices.Contains(got, i) != want {
			t.Errorf("hits %v, want 1, 2 and 7", got)
		}
		// The last call of hit set both again.
		if i == 2 && marks[i] != 1 {
			t.Errorf("mark %d was set after its word was cleared, and is lost", i)
		}
	}
}

// setMark is the mark that rewrite inserts. The race detector must not see it,
// as it does not see the real one.
//
//go:norace
//go:noinline
func setMark(marks []uint8, i int) {
	if marks[i] == 0 {
		marks[i] = 1
	}
}

// No call may be lost to a sweep that goes on meanwhile: after each call, a
// sweep that begins later (or one that was going on) must show it. Negative
// control: "copy the array, then clear it" in place of sweep fails here at once.
// A load followed by a store of 0, word by word, usually passes: that the swap
// must be one step rests on the argument in cells.go, not on this test.
func TestSweepConcurrent(t *testing.T) {
	const (
		workers = 4
		calls   = 20_000
	)
	backing := make([]uint64, 8)
	marks := bytesOf(backing)
	var seen [64]atomic.Int64
	var sweeps atomic.Int64
	var stop atomic.Bool
	var sweeper, callers sync.WaitGroup
	sweeper.Add(1)
	go func() {
		defer sweeper.Done()
		for !stop.Load() {
			// A hit may be seen, and the function called, before the mark is
			// cleared: what a sweep saw counts from its end on.
			var hits []int
			sweep(marks, func(i int) { hits = append(hits, i) })
			for _, i := range hits {
				seen[i].Add(1)
			}
			sweeps.Add(1)
		}
	}()
	for w := range workers {
		callers.Add(1)
		go func() {
			defer callers.Done()
			for n := range calls {
				i := (n*workers + w) % 64
				before := seen[i].Load()
				setMark(marks, i)
				if n%16 != 0 {
					continue
				}
				// Add, not Load: a load may come before the store above. One
				// sweep may have passed this mark already; after two more have
				// ended it must have been seen.
				for from := sweeps.Add(0); sweeps.Load() < from+2 && seen[i].Load() == before; {
				}
				if seen[i].Load() == before {
					t.Errorf("call %d of function %d was lost", n, i)
					return
				}
			}
		}()
	}
	callers.Wait()
	stop.Store(true)
	sweeper.Wait()
	sweep(marks, func(i int) { seen[i].Add(1) })
	for i := range seen {
		if seen[i].Load() == 0 {
			t.Errorf("function %d was never seen", i)
		}
	}
}

func TestBitset(t *testing.T) {
	s := newBitset(200)
	if !s.empty() || s.count(0, 200) != 0 {
		t.Errorf("a new set is not empty")
	}
	members := []int{0, 5, 63, 64, 127, 128, 199}
	for _, i := range members {
		s.add(i)
	}
	for i := range 200 {
		for j := i; j <= 200; j++ {
			want := 0
			for _, m := range members {
				if m >= i && m < j {
					want++
				}
			}
			if got := s.count(i, j); got != want {
				t.Errorf("count(%d, %d) = %d, want %d", i, j, got, want)
			}
		}
		if s.has(i) != slices.Contains(members, i) {
			t.Errorf("has(%d) = %v", i, s.has(i))
		}
	}
	u := newBitset(200)
	u.or(s)
	u.remove(s)
	if s.empty() || !u.empty() {
		t.Errorf("or and remove of the same members leave some")
	}
}
