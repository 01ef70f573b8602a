// Large data: 100,000 functions, and what reading them costs.

package report

import (
	"fmt"
	"testing"
)

// writeLarge writes one build of n functions in packages of 100, and processes
// that each called every tenth function, all of them a different tenth.
func writeLarge(t testing.TB, dir string, n, processes int) {
	t.Helper()
	functions := make([]testFunc, n)
	for i := range functions {
		functions[i] = fn(fmt.Sprintf("pkg%04d.*Server.Function%06d", i/100, i), fmt.Sprintf("internal/pkg%04d/file.go", i/100), 10*(i%100)+1)
	}
	leave(t, dir, "large", functions)
	for p := range processes {
		called := testProcess{id: fmt.Sprint(p), app: "large", started: at(p + 2), calls: calls{}}
		for i := p; i < n; i += 10 {
			called.calls[functions[i].Name] = called.started
		}
		s := store(dir, "large", functions, called)
		s.Process = uuidOf(called.id)
		record(t, s, functions, called)
	}
}

func TestLarge(t *testing.T) {
	dir := t.TempDir()
	const n = 100_000
	writeLarge(t, dir, n, 3)
	r := mustRead(t, dir)
	if len(r.Functions) != n {
		t.Fatalf("%d functions, want %d", len(r.Functions), n)
	}
	for i, f := range r.Functions {
		want := NeverCalled
		if i%10 < 3 {
			want = Called
		}
		if f.Status != want || f.Name != fmt.Sprintf("Function%06d", i) {
			t.Fatalf("function %d is %s, %s, want Function%06d, %s", i, f.Name, f.Status, i, want)
		}
	}
}

// BenchmarkRead: 100,000 functions and ten processes.
func BenchmarkRead(b *testing.B) {
	dir := b.TempDir()
	writeLarge(b, dir, 100_000, 10)
	b.ReportAllocs()
	for b.Loop() {
		mustRead(b, dir)
	}
}
