package datafile

import (
	"maps"
	"os"
	"slices"
	"testing"
)

func TestRecordIsReadAsWritten(t *testing.T) {
	var b [recordSize]byte
	p := Process{UUID: "01234567-89ab-4def-8123-456789abcdef", Boot: "11234567-89ab-4def-8123-456789abcdef", StartedAt: now,
		SeenAt: now + 5, Writes: 1 << 40, PID: 1<<31 - 1, State: Lossy, Kept: OnDisk, Marks: "/dev/shm/x.marks", Why: "because"}
	p.encode(b[:])
	if got, used, ok := decodeProcess(b[:]); !used || !ok || got != p {
		t.Errorf("got %+v (%t, %t), want %+v", got, used, ok, p)
	}
	for bit := range recordSize * 8 {
		b[bit/8] ^= 1 << (bit % 8)
		if _, _, ok := decodeProcess(b[:]); ok {
			t.Fatalf("nobody notices a flip of bit %d", bit)
		}
		b[bit/8] ^= 1 << (bit % 8)
	}
	clear(b[:])
	if _, _, ok := decodeProcess(b[:]); ok {
		t.Error("zeros are no damage")
	}
	sums := Totals{1, 2, 3, 4, 5, 6, 7, 8}
	sums.encode(b[:])
	if got, ok := decodeTotals(b[:]); !ok || got != sums {
		t.Errorf("got %+v, want %+v", got, sums)
	}
}

func TestRecordFollowsEarlierOne(t *testing.T) {
	s, p := newStore(t, 1), newProcess(1)
	p.Why = "no tmpfs"
	for i, state := range []ProcessState{Running, Running, Ended} {
		p.State, p.SeenAt = state, now+int64(i)
		update(t, s, &Update{Process: p})
	}
	late := newProcess(1) // what is recovered says less of it
	late.Writes, late.State, late.SeenAt = 1, Running, now-5
	update(t, s, &Update{Others: []Process{*late}})
	got := read(t, s.Path(), false).processes[p.UUID]
	if got.State != Ended || got.Writes != 3 || got.SeenAt != now+2 || got.Why != "no tmpfs" {
		t.Errorf("got %+v", got)
	}
}

func TestRecoveredIntoAnotherFileIsLossy(t *testing.T) {
	for writes, want := range []ProcessState{Recovered, Lossy} {
		s, p := newStore(t, 1), newProcess(1)
		p.Writes, p.State = uint64(writes), Recovered
		if r := update(t, s, &Update{Process: p}); r.Replaced != (writes > 0) {
			t.Errorf("%d writes: replaced = %t", writes, r.Replaced)
		}
		if got := read(t, s.Path(), false).processes[p.UUID].State; got != want {
			t.Errorf("%d writes: state %d, want %d", writes, got, want)
		}
	}
}

// size returns the size of a file.
func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestThousandProcesses(t *testing.T) {
	s := newStore(t, 10)
	var want Totals
	for i := range 1000 {
		p := newProcess(i + 1)
		p.StartedAt, p.SeenAt = now+int64(i), now+int64(i)+10
		update(t, s, &Update{Calls: calls(map[int]int64{i % 10: now}), Process: p})
		if p.State = Ended; i%10 == 0 {
			p.State = Recovered
		}
		update(t, s, &Update{Process: p})
		want.add(p)
	}
	got := read(t, s.Path(), false)
	all := got.sums
	for _, p := range got.processes {
		all.add(&p)
	}
	if all != want {
		t.Errorf("together %+v, want %+v", all, want)
	}
	if len(got.processes) != keptRecords {
		t.Errorf("%d processes have records, want %d", len(got.processes), keptRecords)
	}
	if got, want := size(t, s.Path()), int64(3*pageSize); got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
}

func TestManyLivingProcesses(t *testing.T) {
	s := newStore(t, 10)
	const n = 100
	processes := make([]*Process, n)
	for round := range 3 {
		for i := range n {
			if round == 0 {
				processes[i] = newProcess(i + 1)
			}
			if r := update(t, s, &Update{Process: processes[i]}); r.Replaced {
				t.Fatalf("round %d: process %d has lost its record", round, i)
			}
		}
	}
	if got := read(t, s.Path(), false); len(got.processes) != n || got.sums.Processes != 0 {
		t.Errorf("%d processes, and %+v; want %d", len(got.processes), got.sums, n)
	}
	large := size(t, s.Path())
	for _, p := range processes { // they are abandoned, and make room
		late := newProcess(1000 + p.PID)
		late.SeenAt += 2 * abandonedAfter
		late.State = Ended
		update(t, s, &Update{Process: late})
	}
	got := read(t, s.Path(), false)
	if all := len(got.processes) + int(got.sums.Processes); all != 2*n {
		t.Errorf("%d processes, want %d", all, 2*n)
	}
	if got := size(t, s.Path()); got != large {
		t.Errorf("%d bytes, want %d as before", got, large)
	}
}

// More processes may live than there is room for. Those that wrote to the longest time
// ago lose their records, and write all that they called once more.
func TestFullTable(t *testing.T) {
	tab := newTable()
	const most = maxTable/recordSize - 1
	const given = most - 8*pageSize/recordSize // what looks for its place each time takes seconds
	tab.b = append(tab.b, make([]byte, (given+1)*recordSize-len(tab.b))...)
	for i := range most + 10 {
		p := newProcess(i + 1)
		p.SeenAt += int64(i)
		if i < given {
			p.encode(tab.b[(i+1)*recordSize:][:recordSize])
		} else if _, known := tab.update(p); known {
			t.Fatalf("process %d is known", i)
		}
	}
	if len(tab.b) != maxTable {
		t.Errorf("%d bytes, want %d", len(tab.b), maxTable)
	}
	sums, processes, bad := tab.all()
	if sums.Processes != 10 || len(processes) != most || bad {
		t.Errorf("%d and %d processes, want 10 and %d", sums.Processes, len(processes), most)
	}
	if _, known := tab.update(newProcess(1)); known {
		t.Error("the oldest process still has its record")
	}
	if _, known := tab.update(newProcess(most + 10)); !known {
		t.Error("the latest process has lost its record")
	}
}

func TestDamagedRecords(t *testing.T) {
	s := newStore(t, 10)
	for i := range 3 {
		update(t, s, &Update{Calls: calls(map[int]int64{i: now}), Process: newProcess(i + 1)})
	}
	records := int64(2 * pageSize)
	for _, i := range []int64{0, 2} {
		if err := overwrite(s.Path(), records+i*recordSize+40, []byte{1, 2, 3}); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, s.Path(), true); len(got.processes) != 2 || len(got.at) != 3 {
		t.Errorf("got %+v", got)
	}
	for i := range 20 { // processes that end reach the sums as well
		p := newProcess(i + 10)
		p.State = Ended
		update(t, s, &Update{Process: p})
	}
	got := read(t, s.Path(), false)
	if all := len(got.processes) + int(got.sums.Processes); all != 22 {
		t.Errorf("%d processes, want 22", all)
	}
	if !maps.Equal(got.at, map[int]int64{0: now, 1: now, 2: now}) {
		t.Errorf("calls depend on records: %v", got.at)
	}
}

func TestTotalsMerge(t *testing.T) {
	random := []Process{}
	for i := range 20 {
		p := newProcess(i)
		p.StartedAt += int64(i*7919) % 101
		p.SeenAt += int64(i*104729)%103 + 100
		p.State = ProcessState(i%4 + 1)
		random = append(random, *p)
	}
	var all, left, right Totals
	for i := range random {
		all.add(&random[i])
		if i%3 == 0 {
			left.add(&random[i])
		} else {
			right.add(&random[i])
		}
	}
	for _, pair := range [][2]Totals{{left, right}, {right, left}, {all, {}}, {{}, all}} {
		got := pair[0]
		if got.merge(&pair[1]); got != all {
			t.Errorf("got %+v, want %+v", got, all)
		}
	}
	slices.Reverse(random)
	var back Totals
	for i := range random {
		back.add(&random[i])
	}
	if back != all {
		t.Errorf("in another order %+v, want %+v", back, all)
	}
}
