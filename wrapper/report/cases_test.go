// Directories whose report is compared with what wrapper/output has in testdata.

package report

import (
	"fmt"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// GoldenCases are directories with something to see in the report.
var GoldenCases = map[string]func(t *testing.T, dir string){
	"shop":   writeShop,
	"called": writeAllCalled,
	"nothing": func(t *testing.T, dir string) {
		leave(t, dir, "a", nil, testProcess{id: "1", app: "shop", started: at(1)})
	},
	"presumed": func(t *testing.T, dir string) {
		leave(t, dir, "a", []testFunc{
			fn("store.Open", "store.go", 9).long(3).presumed(at(3), "report.json"), fn("store.Shut", "store.go", 19).long(5).presumed(at(4), "a|b.json"),
			fn("store.Find", "store.go", 29).long(7), fn("store.Drop", "store.go", 39).long(9),
		}, testProcess{id: "1", app: "shop", main: "example.com/shop", host: "h1", started: at(9), calls: calls{"Open": at(3), "Find": at(10)}})
	},
	"damaged": func(t *testing.T, dir string) {
		writeAllCalled(t, dir)
		put(t, dir, "process-9.hits", []byte("SCAVHIT1"))
		damageStamp(t, dir, "a", []testFunc{fn("store.Open", "store.go", 9)}, testProcess{app: "shop", host: "h1"}, 0)
		leave(t, dir, "b", []testFunc{fn("store.Shut", "shut.go", 9), fn("store.Find", "find.go", 9)},
			testProcess{id: "2", app: "find", host: "h1", started: at(1), calls: calls{"Find": at(2)}, state: datafile.Lossy})
		damageStamp(t, dir, "b", []testFunc{{}, {}}, testProcess{app: "find", host: "h1"}, 0)
	},
	// Jobs that are killed within a second, where marks are kept once a second.
	"mute": func(t *testing.T, dir string) {
		functions := []testFunc{fn("cmd/job.main", "cmd/job/main.go", 9), fn("cmd/job.work", "cmd/job/main.go", 19)}
		for i := range 43 {
			leave(t, dir, "a", functions, testProcess{id: fmt.Sprint(i), app: "job", host: "h1", started: at(i % 28), state: datafile.Lossy, kept: datafile.OnceASecond})
		}
		leave(t, dir, "b", []testFunc{fn("cmd/shop.main", "cmd/shop/main.go", 9), functions[1]},
			testProcess{id: "1", app: "shop", host: "h1", started: at(3), calls: calls{"main": at(3)}})
	},
}

// writeShop writes a bit of everything.
func writeShop(t *testing.T, dir string) {
	long := fn("store.*Cache[T]Of.EvictTheOldestEntriesUntilThereIsRoomForAtLeastOneMoreOfThem",
		"internal/store/with/a/rather/long/path/to/the/file/that/nobody/would/cache_eviction.go", 1234)
	newest := []testFunc{
		fn("cmd/shop.main", "cmd/shop/main.go", 12),
		fn("cmd/shop.usage", "cmd/shop/main.go", 140).long(20),
		fn("store.Open", "internal/store/store.go", 9),
		fn("store.*DB.Shut", "internal/store/store.go", 88).long(1),
		fn("store.DB.String", "internal/store/store.go", 188),
		fn("store.sum", "internal/store/sum_amd64.go", 3).unobservable("no body"),
		fn("store.fastpath", "internal/store/sum.go", 7).unobservable("nosplit"),
		fn("store.slowpath", "internal/store/sum.go", 17).unobservable("nosplit"),
		long,
		fn("größe.Größe", "größe/größe.go", 5),
		fn("größe.New", "größe/new.go", 5),
		fn("odd.X", "odd/\x1b[31m\nred.go", 1),
		fn("asm.add", "asm/add.go", 1).unobservable("no body"),
	}
	literal := fn("cmd/shop.func1", "cmd/shop/main.go", 145).long(5) // a part of usage
	literal.Name = "usage.func1"
	newest = append(newest, literal)
	newest[2].Signature = "example.com.store.func.Open(<-chan int,map[string]func(*T)&'\")"
	leave(t, dir, "a", append(newest[:5:5], fn("store.Gone", "internal/store/gone.go", 1)),
		testProcess{id: "1", app: "shop", module: "example.com", host: "h1", started: at(1), calls: calls{"main": at(1), "Open": at(8), "Gone": at(1)}},
		testProcess{id: "2", app: "shop", module: "example.com", host: "h2", started: at(2)})
	leave(t, dir, "b", newest,
		testProcess{id: "3", app: "shop", module: "example.com", host: "h1", started: at(9), calls: calls{"main": at(9), "Open": at(10), "New": at(31)}})
	leave(t, dir, "c", []testFunc{fn("cmd/wire.main", "cmd/wire/main.go", 1), newest[3]},
		testProcess{id: "4", app: "work", host: "h1", environment: "staging", started: at(9), calls: calls{"main": at(9)}})
	leave(t, dir, "d", []testFunc{fn("never.Started", "never.go", 1)})
}

func writeAllCalled(t *testing.T, dir string) {
	leave(t, dir, "a", []testFunc{fn("store.Open", "store.go", 9)},
		testProcess{id: "1", app: "shop", host: "h1", started: at(1), calls: calls{"Open": at(1).Add(90 * time.Second)}})
}
