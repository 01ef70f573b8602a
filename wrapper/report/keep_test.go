package report

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// Every wrong line of a list is named, and says what to type.
func TestReadKeep(t *testing.T) {
	rules, err := ReadKeep("keep.txt", strings.NewReader("\uFEFF# comment\r\n\r\n"+
		"example.com/shop/year.Close\t\"runs on 31 December\"  until 2027-02-01 # and then?\r\n"+
		"example.com/shop `for \"auditors\"`\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rules {
		got = append(got, fmt.Sprintf("%s|%s|%s|%s", r.From, r.Pattern, r.Reason, r.Until))
	}
	want := []string{"keep.txt:3|example.com/shop/year.Close|runs on 31 December|2027-02-01", "keep.txt:4|example.com/shop|for \"auditors\"|"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("rules %q, want %q", got, want)
	}
	for line, want := range map[string]string{
		`example.com/shop.Open`:                      `keep.txt:1: no reason in quotes behind the pattern: write example.com/shop.Open "why it stays"`,
		`example.com/shop.Open because`:              `keep.txt:1: no reason in quotes behind the pattern: write example.com/shop.Open "why it stays"`,
		`example.com/shop.Open 'x'`:                  `keep.txt:1: no reason in quotes behind the pattern: write example.com/shop.Open "why it stays"`,
		`example.com/shop.Open " "`:                  `keep.txt:1: the reason is empty: write example.com/shop.Open "why it stays"`,
		`example.com/shop.Open "x" until 31.12.2027`: `keep.txt:1: "31.12.2027" is no day: write it as 2027-02-01`,
		`example.com/shop.Open "x" until 2027-02-30`: `keep.txt:1: "2027-02-30" is no day: write it as 2027-02-01`,
		`example.com/shop.Open "x" until`:            `keep.txt:1: "until" behind the reason: write until 2027-02-01, or nothing`,
		`example.com/shop.Open "x" for ever`:         `keep.txt:1: "for ever" behind the reason: write until 2027-02-01, or nothing`,
		`./shop.Open "x"`:                            `keep.txt:1: "./shop.Open": relative names mean different packages in different directories: write the import path, such as example.com/shop/cart.Cart`,
		`"example.com/shop" "x"`:                     `keep.txt:1: "\"example.com/shop\"" is no pattern: write example.com/shop, example.com/shop/cart.Open, example.com/shop/cart.Cart.Add or example.com/shop/*.Close`,
		"a \"x\"\nb\nc \"x\" until never\n":          "keep.txt:2: no reason in quotes behind the pattern: write b \"why it stays\"\nkeep.txt:3: \"never\" is no day: write it as 2027-02-01",
	} {
		if _, err := ReadKeep("keep.txt", strings.NewReader(line)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}

func TestKeepPattern(t *testing.T) {
	functions := map[string]*Function{
		"shop.Open":        {Package: "example.com/shop", Name: "Open"},
		"shop.Cart.Add":    {Package: "example.com/shop", Receiver: "*Cart", Name: "Add"},
		"shop.Add.func1":   {Package: "example.com/shop", Receiver: "*Cart", Name: "Add-range1.2"},
		"shop.Close":       {Package: "example.com/shop", Name: "Close"},
		"shop/year.Close":  {Package: "example.com/shop/year", Name: "Close"},
		"shopping.Close":   {Package: "example.com/shopping", Name: "Close"},
		"shop.v2/x.Closer": {Package: "example.com/shop.v2/x", Name: "Closer"},
	}
	for pattern, want := range map[string]string{
		"example.com/shop":              "shop.Add.func1 shop.Cart.Add shop.Close shop.Open shop/year.Close",
		"example.com/shop/...":          "shop.Add.func1 shop.Cart.Add shop.Close shop.Open shop/year.Close",
		"example.com/shop/year":         "shop/year.Close",
		"example.com/shop.Cart":         "shop.Add.func1 shop.Cart.Add",
		"example.com/shop.Cart.Add":     "shop.Add.func1 shop.Cart.Add",
		"example.com/shop.(*Cart).Add":  "shop.Add.func1 shop.Cart.Add",
		"example.com/shop.Cart.A*":      "shop.Add.func1 shop.Cart.Add",
		"example.com/shop.Car":          "",
		"example.com/shop.Open":         "shop.Open",
		"example.com/shop.*":            "shop.Add.func1 shop.Cart.Add shop.Close shop.Open shop.v2/x.Closer",
		"example.com/*.Close":           "shop.Close shopping.Close",
		"example.com/....Close":         "shop.Close shop/year.Close shopping.Close",
		"....Close*":                    "shop.Close shop.v2/x.Closer shop/year.Close shopping.Close",
		"example.com/shop/cart":         "",
		"example.com/shop.v2":           "shop.v2/x.Closer",
		"example.com/shop.Cart.Add.one": "",
	} {
		p, err := newKeepPattern(pattern)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, name := range sortedKeys(map[string]bool{"shop.Open": true, "shop.Cart.Add": true, "shop.Add.func1": true, "shop.Close": true,
			"shop/year.Close": true, "shopping.Close": true, "shop.v2/x.Closer": true}) {
			if n := keepNameOf(functions[name]); p.matches(&n) {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s matches %q, want %s", pattern, got, want)
		}
	}
}

// A function is kept by its directive or the first line that counts. What has expired, is
// wrong or of no use is said, and its functions are listed again.
func TestKeep(t *testing.T) {
	dir := t.TempDir()
	directive := func(f testFunc, text string) testFunc {
		f.Directive = text
		return f
	}
	leave(t, dir, "a", []testFunc{
		fn("store.Open", "store.go", 9),
		directive(fn("store.Year", "store.go", 19), "keep until=2026-01-09 in winter"),
		directive(fn("store.Old", "store.go", 29), "keep until=2026-01-08 in autumn"),
		directive(fn("store.Odd", "store.go", 39), "keep until=tomorrow x"),
		directive(fn("store.Bare", "store.go", 49), "keep"),
		directive(fn("store.Bare2", "store.go", 59), "keep"),
		fn("store.Shut", "store.go", 69),
		fn("store.Gone", "store.go", 79),
	}, testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Open": at(1)}})
	r, err := readAt(dir, at(9), "")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := ReadKeep("keep.txt", strings.NewReader(`
example.com/store.Sh* "expired" until 2026-01-01
example.com/store.Shut "second" until 2026-01-09
example.com/store.Shut "third"
example.com/store.Old "first" until 2026-01-07
example.com/shop "nothing"
`))
	if err != nil {
		t.Fatal(err)
	}
	r.Keep(rules, at(9))
	kept := map[string]string{}
	for _, f := range r.Functions {
		if f.Keep != nil {
			kept[f.Name] = fmt.Sprintf("%s: %s %v", f.Keep.From, f.Keep.Reason, f.Kept())
		}
		if f.Deletable() != (f.Status == NeverCalled && (f.Name != "Year" && f.Name != "Shut")) {
			t.Errorf("%s is deletable: %v", f.Name, f.Deletable())
		}
	}
	want := map[string]string{"Year": "store.go:19: in winter true", "Old": "store.go:29: in autumn false", "Shut": "keep.txt:3: second true"}
	if !reflect.DeepEqual(kept, want) {
		t.Errorf("kept are %v, want %v", kept, want)
	}
	if n := r.ExpiredKeeps(); n != 1 {
		t.Errorf("%d functions are kept no more, want 1", n)
	}
	notes := []string{
		`store.go:29: //scavenger:keep expired after 2026-01-08, so it keeps no more: "in autumn" (1 function)`,
		`store.go:39: //scavenger:keep does not count: "tomorrow" is no day: write it as 2027-02-01 (1 function)`,
		`store.go:49: //scavenger:keep does not count: no reason: write //scavenger:keep why it stays, or //scavenger:keep until=2027-02-01 why it stays (2 functions)`,
		`keep.txt:2: example.com/store.Sh* expired after 2026-01-01, so it keeps no more: "expired" (1 function)`,
		`keep.txt:5: example.com/store.Old expired after 2026-01-07, so it keeps no more: "first" (1 function)`,
		`keep.txt:6: example.com/shop matches no function of the report: remove the line, or correct it`,
	}
	if got := r.KeepNotes(); !reflect.DeepEqual(got, notes) {
		t.Errorf("notes\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(notes, "\n"))
	}
	// What other processes have is not known here.
	r.Filter.Hosts = []string{"web1"}
	notes[len(notes)-1] = "keep.txt:6: example.com/shop matches no function of the report, which is about host web1 alone"
	if got := r.KeepNotes(); !reflect.DeepEqual(got, notes) {
		t.Errorf("notes\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(notes, "\n"))
	}
}

func BenchmarkKeep(b *testing.B) {
	r := &Report{}
	var list strings.Builder
	for i := range 100_000 {
		r.Functions = append(r.Functions, Function{Package: fmt.Sprintf("example.com/shop/p%d", i/50), Receiver: "*T", Name: fmt.Sprintf("F%d", i), Status: NeverCalled})
		if i%1000 == 0 {
			fmt.Fprintf(&list, "example.com/.../p%d.*.F%d \"x\"\n", i/50, i)
		}
	}
	rules, err := ReadKeep("keep.txt", strings.NewReader(list.String()))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r.KeepRules = nil
		r.Keep(rules, at(1))
	}
}

// Any text is a list, or says what is wrong with it.
func FuzzReadKeep(f *testing.F) {
	f.Add("example.com/shop.(*T).x* \"why\" until 2027-02-01")
	f.Add("a... `x` # \n*")
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := ReadKeep("k", strings.NewReader(text))
		if err == nil {
			for _, r := range rules {
				n := keepNameOf(&Function{Package: "example.com/shop", Receiver: "*T", Name: "x"})
				r.pattern.matches(&n)
			}
		}
	})
}
