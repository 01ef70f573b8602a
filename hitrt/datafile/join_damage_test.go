package datafile

import (
	"errors"
	"os"
	"slices"
	"testing"
	"time"
)

// What is damaged in a file is damaged where it is merged to, unless a call is known
// there; and it costs nothing else.
func TestMergeDamage(t *testing.T) {
	const functions = 600
	id := Identity{Fingerprint: "f", Functions: functions, AppName: "shop", UID: -1}
	at := int64(MinTime + 1000)
	from := Store{Dir: t.TempDir(), Identity: id}
	other := Store{Dir: t.TempDir(), Identity: id}
	to := t.TempDir()
	process := &Process{UUID: "00000000-0000-4000-8000-000000000001", StartedAt: at, SeenAt: at, State: Ended, Kept: InMemory}
	if _, err := from.Update(&Update{Calls: sequence([]int{3, 4, 599}, at), Process: process}); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Update(&Update{Calls: sequence([]int{4, 5}, at+1)}); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(from.Path(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := OpenHits(from.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, i := range []int64{4, 5, 6} {
		if _, err := file.WriteAt(make([]byte, 8), r.Header.Stamps+8*i); err != nil {
			t.Fatal(err)
		}
	}
	var damage DamageError
	if err := Merge(from.Path(), to, 0, nil); !errors.As(err, &damage) {
		t.Fatalf("Merge: %v; want damage named", err)
	}
	if err := Merge(other.Path(), to, 0, nil); err != nil {
		t.Fatal(err)
	}
	merged, err := OpenHits((&Store{Dir: to, Identity: from.Identity}).Path())
	if err != nil {
		t.Fatal(err)
	}
	defer merged.Close()
	var called, unknown []int
	if err := merged.Stamps(func(i int, _ int64, state State) {
		if state == Damaged {
			unknown = append(unknown, i)
		} else {
			called = append(called, i)
		}
	}); err == nil {
		t.Error("no damage in the merged file")
	}
	if want := []int{3, 4, 5, 599}; !slices.Equal(called, want) {
		t.Errorf("called are %v, want %v", called, want)
	}
	if want := []int{6}; !slices.Equal(unknown, want) {
		t.Errorf("unknown are %v, want %v", unknown, want)
	}
	if _, processes, err := merged.Processes(); len(processes) != 1 || processes[0].UUID != process.UUID || err != nil {
		t.Errorf("processes %v, %v, want one", processes, err)
	}
}

// A damaged file of one process is joined once: its damage moves along.
func TestJoinDamage(t *testing.T) {
	dir := t.TempDir()
	id := Identity{Fingerprint: "f", Functions: 9, AppName: "shop", UID: -1}
	alone := Store{Dir: dir, Identity: id, Process: "00000000-0000-4000-8000-000000000001"}
	at := int64(MinTime + 1000)
	process := &Process{UUID: alone.Process, StartedAt: at, SeenAt: at, State: Ended}
	if _, err := alone.Update(&Update{Calls: sequence([]int{1, 2}, at), Process: process}); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(alone.Path(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt(make([]byte, 8), pageSize+8); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for range 2 {
		j := Joiner{Dir: dir, Wanted: func(*Identity) bool { return true }}
		j.Search()
		j.Join(10, func(string, error) { failed++ })
	}
	if failed != 1 {
		t.Errorf("damage was named %d times, want once", failed)
	}
	shared, err := OpenHits((&Store{Dir: dir, Identity: id}).Path())
	if err != nil {
		t.Fatal(err)
	}
	defer shared.Close()
	states := map[int]State{}
	_ = shared.Stamps(func(i int, _ int64, state State) { states[i] = state })
	if len(states) != 2 || states[1] != Damaged || states[2] != Unsent {
		t.Errorf("stamps %v, want 1 damaged, 2 called", states)
	}
	if old, err := OpenHits(alone.Path()); err != nil || !old.Joined {
		t.Errorf("the file is not marked as joined: %v", err)
	}
	if info, _ := os.Stat(alone.Path()); time.Since(info.ModTime()) > time.Minute {
		t.Error("the file keeps its time, and would be removed at once")
	}
}
