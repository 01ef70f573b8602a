// Tests of the two outputs, against testdata/. Run with -update to rewrite them.

package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// goldenCases are directories with something to see in the report.
var goldenCases = map[string]func(t *testing.T, dir string){
	"shop":   writeShop,
	"called": writeAllCalled,
	"nothing": func(t *testing.T, dir string) {
		leave(t, dir, "a", nil, testProcess{id: "1", app: "shop", started: at(1)})
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

// ofFile is the part of a file's name that says nothing to people.
var ofFile = regexp.MustCompile(`[0-9a-f]{16}\.hits`)

func TestGolden(t *testing.T) {
	var want []string
	for _, name := range slices.Sorted(maps.Keys(goldenCases)) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, ".directory.id", []byte("0000000000000000\n")) // names, and so their order
			goldenCases[name](t, dir)
			r, err := Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			var text, js bytes.Buffer
			if err := r.WriteText(&text); err != nil {
				t.Fatal(err)
			}
			if err := r.WriteJSON(&js); err != nil {
				t.Fatal(err)
			}
			compareGolden(t, name+".txt", text.Bytes())
			compareGolden(t, name+".json", ofFile.ReplaceAll(bytes.ReplaceAll(js.Bytes(), []byte(dir+string(filepath.Separator)), nil), []byte("KEY.hits")))
		})
		want = append(want, name+".json", name+".txt")
	}
	list, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range list {
		if !e.IsDir() { // fuzz/
			got = append(got, e.Name())
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("testdata holds %v, want exactly %v", got, want)
	}
}

func compareGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (-update rewrites it); got\n%s\nwant\n%s", name, got, want)
	}
}

// The JSON is what other programs rely on: names, presence and types of fields.
func TestJSON(t *testing.T) {
	dir := t.TempDir()
	writeShop(t, dir)
	var out bytes.Buffer
	if err := mustRead(t, dir).WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	var report struct {
		SchemaVersion int
		Header        map[string]any
		Programs      []map[string]any
		Functions     []map[string]any
		Complete      bool
		Processes     map[string]int
		Problems      []map[string]string
	}
	dec := json.NewDecoder(&out)
	dec.DisallowUnknownFields()
	text := out.String()
	if err := dec.Decode(&report); err != nil {
		t.Fatal(err)
	}
	if len(report.Functions) != 15 || !report.Complete || report.Problems == nil || len(report.Problems) > 0 {
		t.Fatalf("the report has %d functions and %v, and is complete: %v; want 15, no problems, true", len(report.Functions), report.Problems, report.Complete)
	}
	want := map[string]int{"total": 4, "running": 0, "recovered": 0, "lossy": 0, "keptOnceASecond": 0, "mute": 0}
	if !maps.Equal(report.Processes, want) {
		t.Errorf("processes %v, want %v", report.Processes, want)
	}
	fields := []string{"applications", "builds", "environments", "from", "hosts", "observedFor", "processes", "removedFunctions", "to", "unobservedBuilds"}
	if got := slices.Sorted(maps.Keys(report.Header)); report.SchemaVersion != 1 || !slices.Equal(got, fields) {
		t.Errorf("schema %d, and the header has the fields %v, want %v", report.SchemaVersion, got, fields)
	}
	var places []string
	for _, f := range report.Functions {
		want := []string{"applications", "environments", "file", "hosts", "line", "name", "observedFor", "package", "processes", "signature", "status"}
		for _, optional := range []string{"receiver", "lines", "module"} {
			if f[optional] != nil {
				want = append(want, optional)
			}
		}
		if f["status"] != "not-observable" {
			want = append(want, "observedSince")
		}
		if f["status"] == "called" {
			want = append(want, "lastCalledAt", "calledIn")
			if _, err := time.Parse(time.RFC3339, f["lastCalledAt"].(string)); err != nil {
				t.Error(err)
			}
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(f)); !slices.Equal(got, want) {
			t.Errorf("%v has the fields %v, want %v", f["name"], got, want)
		}
		places = append(places, fmt.Sprintf("%s\x00%s\x00%08.0f", f["package"], f["file"], f["line"]))
	}
	if !slices.IsSorted(places) {
		t.Errorf("functions are not sorted by package, file, line: %q", places)
	}
	if lines := strings.Count(text, "\n"); lines != 15+2+9 {
		t.Errorf("%d lines for 15 functions and 2 programs, want one each and nine around them", lines)
	}
}

func TestPercent(t *testing.T) {
	for _, tt := range []struct {
		called, never int
		want          string
	}{
		{0, 0, "-"}, {0, 5, "0.0"}, {5, 0, "100.0"}, {1, 2, "33.3"}, {2, 1, "66.6"},
		{1, 99999, "0.1"}, {99999, 1, "99.9"},
	} {
		tl := tally{called: tt.called, never: tt.never, hidden: 7}
		if got := tl.percent(); got != tt.want {
			t.Errorf("percent of %d called and %d not = %q, want %q", tt.called, tt.never, got, tt.want)
		}
	}
}

func TestLength(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                       "0 seconds",
		1500 * time.Millisecond: "1 second",
		119 * time.Second:       "119 seconds",
		2 * time.Minute:         "2 minutes",
		47 * time.Hour:          "47 hours",
		30 * 24 * time.Hour:     "30 days",
	} {
		if got := length(d); got != want {
			t.Errorf("length(%v) = %q, want %q", d, got, want)
		}
	}
}

// shortWriter takes n bytes, then its disk is full.
type shortWriter struct{ n int }

var errFull = errors.New("disk full")

func (w *shortWriter) Write(p []byte) (int, error) {
	if len(p) > w.n {
		n := w.n
		w.n = 0
		return n, errFull
	}
	w.n -= len(p)
	return len(p), nil
}

// A report that could not be written in full is an error, wherever it stops.
func TestWriteError(t *testing.T) {
	dir := t.TempDir()
	writeShop(t, dir)
	r := mustRead(t, dir)
	var whole bytes.Buffer
	if err := r.WriteText(&whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole.Len() {
		if err := r.WriteText(&shortWriter{n}); !errors.Is(err, errFull) {
			t.Fatalf("WriteText to %d bytes: %v, want %v", n, err, errFull)
		}
	}
	whole.Reset()
	if err := r.WriteJSON(&whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole.Len() {
		if err := r.WriteJSON(&shortWriter{n}); !errors.Is(err, errFull) {
			t.Fatalf("WriteJSON to %d bytes: %v, want %v", n, err, errFull)
		}
	}
}
