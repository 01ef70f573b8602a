package datafile

import (
	"fmt"
	"os"
	"testing"
)

func BenchmarkUpdate(b *testing.B) {
	const functions = 100_000
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, p := newStore(b, functions), newProcess(1)
			update(b, s, &Update{Process: p})
			at := int64(now)
			for b.Loop() {
				at++
				update(b, s, &Update{Process: p, Calls: func(yield func(int, int64) bool) {
					for i := range n {
						if !yield(i*(functions/n), at) {
							return
						}
					}
				}})
			}
		})
	}
}

func BenchmarkCreate(b *testing.B) {
	s := newStore(b, 100_000)
	for b.Loop() {
		update(b, s, &Update{})
		if err := os.Remove(s.Path()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStamps(b *testing.B) {
	const functions = 1 << 20
	for name, called := range map[string]bool{"never": false, "called": true} {
		b.Run(name, func(b *testing.B) {
			s := newStore(b, functions)
			update(b, s, &Update{Calls: func(yield func(int, int64) bool) {
				for i := 0; called && i < functions && yield(i, now+int64(i)); i++ {
				}
			}})
			for b.Loop() {
				r, err := OpenHits(s.Path())
				if err != nil {
					b.Fatal(err)
				}
				if err := r.Stamps(func(int, int64, State) {}); err != nil {
					b.Fatal(err)
				}
				r.Close()
			}
		})
	}
}

// BenchmarkStampsLost is the same of a file of which a disk lost all stamps.
func BenchmarkStampsLost(b *testing.B) {
	const functions = 1 << 20
	s := newStore(b, functions)
	update(b, s, &Update{})
	r, err := OpenHits(s.Path())
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	if err := zero(s.Path(), r.Header.Stamps, functions*stampSize); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := r.Stamps(func(int, int64, State) {}); err == nil {
			b.Fatal("nothing is damaged")
		}
	}
}
