package report

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestNamesOf(t *testing.T) {
	for symbol, want := range map[string]string{
		"example.com/app/cart.Open":                      "example.com/app/cart.Open",
		"example.com/app/cart.(*Cart).Add":               "example.com/app/cart.Cart.Add",
		"example.com/app/cart.Cart.Add-fm":               "example.com/app/cart.Cart.Add",
		"example.com/app/cart.(*Cart).Add.func1.2":       "example.com/app/cart.Cart.Add",
		"example.com/app/cart.Map[...]":                  "example.com/app/cart.Map",
		"example.com/app/cart.Map[...].func1":            "example.com/app/cart.Map",
		"example.com/app/cart.(*List[go.shape.int]).Len": "example.com/app/cart.List.Len",
		"main.run.deferwrap1":                            "example.com/app.run",
		"main.loop-range1":                               "example.com/app.loop",
		"gopkg.in/yaml%2ev3.Unmarshal":                   "gopkg.in/yaml.v3.Unmarshal",
		"gopkg.in/yaml.v3.(*decoder).scan":               "gopkg.in/yaml.v3.decoder.scan",
		"example.com/gr%c3%b6%c3%9fe.X":                  "example.com/größe.X",
		"example.com/100%.F":                             "example.com/100%.F",
		"main.T.M":                                       "example.com/app.T.M",
	} {
		if got := namesOf(symbol, "example.com/app"); !slices.Contains(got, want) {
			t.Errorf("%s may be %q, want %s among them", symbol, got, want)
		}
	}
	// A method is no function, and a literal no other one.
	for symbol, not := range map[string]string{
		"example.com/app/cart.(*Cart).Add":   "example.com/app/cart.Add",
		"example.com/app/cart.Cart.Add":      "example.com/app/cart.Cart.Ad",
		"example.com/app/cart.Open.func1":    "example.com/app/cart.func1",
		"example.com/app/main.run":           "example.com/app.run",
		"type:.eq.example.com/app/cart.Open": "example.com/app/cart.Open",
	} {
		if got := namesOf(symbol, "example.com/app"); slices.Contains(got, not) {
			t.Errorf("%s may be %q, want no %s", symbol, got, not)
		}
	}
}

// A function is called linked out only if every build in use that has it is there to look
// at, and none has code of it.
func TestLook(t *testing.T) {
	dir := t.TempDir()
	literal := fn("store.func1", "store.go", 41)
	literal.Name = "Gone.func1"
	ofRange := fn("store.func1", "store.go", 43)
	ofRange.Name = "Dead-range1.1"
	ofVariable := fn("store.func1", "store.go", 42)
	ofVariable.Name = "init.func1"
	functions := []testFunc{
		fn("shop.main", "main.go", 1), fn("store.Open", "store.go", 1), fn("store.Dead", "store.go", 2), fn("store.Gone", "store.go", 3),
		fn("store.*DB.Shut", "store.go", 4), fn("store.asm", "store.go", 5).unobservable("no body"), literal, ofVariable, ofRange,
	}
	leave(t, dir, "a", functions,
		testProcess{id: "1", app: "shop", main: "example.com/shop", started: at(1), calls: calls{"main": at(1), "Open": at(1)}})
	leave(t, dir, "b", []testFunc{fn("work.main", "work.go", 1), fn("store.*DB.Shut", "store.go", 4)},
		testProcess{id: "2", app: "work", main: "example.com/work", started: at(1), calls: calls{"main": at(1)}})
	shop := Binary{
		File: "shop", Main: "example.com/shop",
		Names: slices.Values([]string{"runtime.main", "main.main", "example.com/store.Dead"}),
		Tracked: map[string][]string{
			"example.com/shop":  {"main"},
			"example.com/store": {"Open", "Dead", "Gone", "(*DB).Shut", "asm", "Gone.func1", "init.func1", "Dead-range1.1"},
		},
	}
	work := Binary{
		File: "work", Main: "example.com/work", Names: slices.Values([]string{"main.main"}),
		Tracked: map[string][]string{"example.com/work": {"main"}, "example.com/store": {"(*DB).Shut"}},
	}
	for _, test := range []struct {
		binaries []Binary
		want     string
		notes    int
	}{
		{[]Binary{shop}, "Gone Gone.func1", 1},
		{[]Binary{shop, work}, "Gone Gone.func1 Shut", 0},
	} {
		r := mustRead(t, dir)
		notes, err := r.Look(test.binaries)
		if err != nil || len(notes) != test.notes {
			t.Errorf("notes %q, %v, want %d", notes, err, test.notes)
		}
		var got []string
		for _, f := range r.Functions {
			if f.LinkedOut {
				got = append(got, f.Name)
			}
		}
		slices.Sort(got)
		if strings.Join(got, " ") != test.want {
			t.Errorf("linked out are %q, want %s", got, test.want)
		}
	}
	r := mustRead(t, dir)
	if !reflect.DeepEqual(r.Binaries, []string(nil)) {
		t.Errorf("binaries %q before any were looked at", r.Binaries)
	}
	for name, tracked := range map[string][]string{"fewer": {"Open"}, "more": append(slices.Clone(shop.Tracked["example.com/store"]), "New")} {
		other := shop
		other.Tracked = map[string][]string{"example.com/shop": {"main"}, "example.com/store": tracked}
		if _, err := r.Look([]Binary{other}); err == nil || !strings.Contains(err.Error(), "shop is no build that the report lists") {
			t.Errorf("a binary with %s functions: %v, want an error", name, err)
		}
	}
}

// Builds that differ in the code of functions alone cannot be told apart by names. Each of
// them needs a binary: what one has not may be in the other.
func TestLookSameNames(t *testing.T) {
	dir := t.TempDir()
	for i, build := range []string{"a", "b"} {
		leave(t, dir, build, []testFunc{fn("shop.main", "main.go", 1), fn("shop.Gone", "main.go", 10+i)},
			testProcess{id: build, app: "shop", main: "example.com/shop", started: at(1 + i), calls: calls{"main": at(9)}})
	}
	binary := func(names ...string) Binary {
		return Binary{File: "shop", Main: "example.com/shop", Names: slices.Values(names), Tracked: map[string][]string{"example.com/shop": {"main", "Gone"}}}
	}
	older, newer := binary("main.main", "main.Gone"), binary("main.main")
	for _, test := range []struct {
		binaries []Binary
		want     bool
		notes    int
	}{
		{[]Binary{newer}, false, 1},
		{[]Binary{newer, older}, false, 0},
		{[]Binary{newer, newer}, true, 0}, // built twice
	} {
		r := mustRead(t, dir)
		notes, err := r.Look(test.binaries)
		if err != nil || len(notes) != test.notes {
			t.Errorf("notes %q, %v, want %d", notes, err, test.notes)
		}
		if f := r.Functions[1]; f.Name != "Gone" || f.LinkedOut != test.want {
			t.Errorf("%d binaries: %s is linked out: %v, want %v", len(test.binaries), f.Name, f.LinkedOut, test.want)
		}
	}
}
