//go:build linux && (386 || amd64 || arm || arm64 || loong64 || riscv64)

package hitrt

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// pad gives the marks of a program the addresses that the linker gives them: one array
// after the other, with a page of padding before and after each.
func pad(b *testing.B, prog *Program) {
	b.Helper()
	size := mappedPage
	for i := range prog.Packages {
		size += len(prog.Packages[i].Marks) + 2*mappedPage
	}
	memory, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = syscall.Munmap(memory) })
	at := mappedPage
	for i := range prog.Packages {
		p := &prog.Packages[i]
		n := len(p.Marks)
		p.Marks, p.Padding = memory[at:at+n:at+n], mappedPage
		at += n + 2*mappedPage
	}
}

// BenchmarkStartMapped is BenchmarkStart with the marks mapped, as in a real program, and
// with the hits file that earlier processes left.
func BenchmarkStartMapped(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		prog := newProgram(n)
		prog.Fingerprint = fmt.Sprint(n)
		for i := range prog.Packages {
			inOrder(&prog.Packages[i])
		}
		pad(b, prog)
		dir := newDataDir(b)
		for _, again := range []bool{false, true} {
			b.Run(fmt.Sprintf("functions=%d/again=%v", n, again), func(b *testing.B) {
				benchmarkStart(b, prog, dir, again)
			})
		}
	}
}

// BenchmarkCheckpoint is what a process with 100,000 functions does once a second, by the
// number of functions that were called for the first time since the last one.
func BenchmarkCheckpoint(b *testing.B) {
	const n = 100_000
	for _, calls := range []int{0, 10, 1000} {
		b.Run(fmt.Sprintf("new=%d", calls), func(b *testing.B) {
			prog := newProgram(n)
			pad(b, prog)
			pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+newDataDir(b))
			now := time.Now()
			pub.now = func() time.Time { return now }
			pub.begin()
			if pub.data.marks == nil {
				b.Fatalf("nothing is mapped: %s", pub.data.process.Why)
			}
			pub.checkpoint()
			for b.Loop() {
				b.StopTimer()
				clear(pub.data.last) // so that all calls are first ones
				for i := range calls {
					prog.call(i * (n / 1000))
				}
				b.StartTimer()
				pub.checkpoint()
			}
			b.StopTimer()
			if messages.String() != "" {
				b.Error(messages)
			}
			b.ReportMetric(float64(pub.data.marks.header.Size), "marks-B")
			pub.die()
		})
	}
}
