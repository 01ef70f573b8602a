// Splitting, the tree, and the rules about signatures.

package collector

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestSplitSignature(t *testing.T) {
	for _, test := range []struct {
		signature, method string
		want              string // pieces with the first letter of their type, or an error
	}{
		{"a.b.c.d(e, f)", "d", "P:a P:b C:c M:d(e, f)"},
		{"a.b.c.D(e, f)", "<init>", "P:a P:b P:c C:D M:D(e, f)"},
		{"github.com.acme.shop.func.main()", "main", "P:github P:com P:acme P:shop C:func M:main()"},
		{"f()", "f", "M:f()"},
		{"a.f(", "f", "nothing after the parenthesis"},
		{"a.f(x", "f", "C:a M:f(x)"},
		{"a.f", "f", "no parenthesis"},
		{"", "", "no parenthesis"},
		{"()", "", "no name before the parenthesis"},
		{"a.Outer$Inner.run()", "run", "P:a C:Outer C:$Inner M:run()"},
		{"a.Outer$Inner()", "<init>", "P:a C:Outer C:$Inner M:Inner()"},
		{"a.b.X(Outer$Inner)", "X", "P:a C:b M:X(Outer$Inner)"},
		// A dot after a non-word character is no cut and vanishes.
		{"a.c++.func.Run()", "Run", "P:a C:c++func M:Run()"},
		{"a.c__.func.Run()", "Run", "P:a P:c__ C:func M:Run()"},
		{"a..b.f()", "f", "P:a C:b M:f()"},
		{".a.f()", "f", "C:a M:f()"},
		{"a.f.()", "f", "P:a C:f M:()"},
		// Only ASCII counts as a word, since JDK 19.
		{"a.日本.f()", "f", "C:a M:日本f()"},
		{"a.日本_.f()", "f", "P:a C:日本_ M:f()"},
		{"a.café.func.f()", "f", "P:a C:caféfunc M:f()"},
		{"a.func.日本()", "日本", "P:a C:func M:日本()"},
		{"x-y.z~_.func.F-func1()", "F-func1", "P:x-y P:z~_ C:func M:F-func1()"},
		{"a.List[T].Push(T)", "Push", "C:a M:List[T]Push(T)"},
		{"github.com/acme/shop/cart.(*Server).ServeHTTP(http.ResponseWriter)", "ServeHTTP",
			"P:github C:com/acme/shop/cart M:(*Server).ServeHTTP(http.ResponseWriter)"},
	} {
		pieces, err := splitSignature(test.signature, test.method)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			var parts []string
			for _, p := range pieces {
				parts = append(parts, p.kind[:1]+":"+p.text)
			}
			got = strings.Join(parts, " ")
		}
		if got != test.want {
			t.Errorf("%q: got %s, want %s", test.signature, got, test.want)
		}
	}
}

// TestTree builds the recommended tree of a Go program.
func TestTree(t *testing.T) {
	c := start(t, Options{})
	cl := dial(t, c)
	var list []Entry
	var hashes []string
	for line := range strings.SplitSeq(strings.TrimSpace(`
+github.com.BurntSushi.toml.func Decode string,any
-github.com.a.b.c.d.func F
-github.com.acme.shop.cart.List Push T
+github.com.acme.shop.cart.Money String
+github.com.acme.shop.cart.Server Close
-github.com.acme.shop.cart.Server ServeHTTP http·ResponseWriter,*http·Request
+github.com.acme.shop.cart.func Add …int
-github.com.acme.shop.cart.func Add-func1
-github.com.acme.shop.cart_test.func TestAdd *testing·T
+github.com.acme.shop.cmd.server.func main
+github.com.acme.shop.internal.store.DB Get string
-github.com.acme.shop.App Run
-gopkg.in.yaml.v3.Decoder Decode any
`), "\n") {
		fields := append(strings.Fields(line[1:]), "")
		e := entry(fields[0], fields[1], fields[2])
		list = append(list, e)
		if line[0] == '+' {
			hashes = append(hashes, e.Hash)
		}
	}
	cl.good(someCommon(), someTime, list, hashes...)
	wantRules(t, c)
	nodes, err := c.Snapshot(Query{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range nodes {
		if n.Type != MethodNode {
			got = append(got, fmt.Sprintf("%s %s %s %d/%d", n.Type, n.Parent, n.Signature, n.Used, n.Used+n.Unused))
		} else if n.Used+n.Unused != 1 || !strings.HasPrefix(n.Signature, n.Parent+".") {
			t.Errorf("method %+v", n)
		}
		if (n.LastInvokedAtMillis == minute(someTime)) != (n.Used > 0) {
			t.Errorf("last invoked: %+v", n)
		}
	}
	want := strings.Split(strings.TrimSpace(`
PACKAGE  github.com 6/12
PACKAGE github.com github.com.BurntSushi.toml 1/1
CLASS github.com.BurntSushi.toml github.com.BurntSushi.toml.func 1/1
PACKAGE github.com github.com.a.b.c.d 0/1
CLASS github.com.a.b.c.d github.com.a.b.c.d.func 0/1
PACKAGE github.com github.com.acme.shop 5/10
CLASS github.com.acme.shop github.com.acme.shop.App 0/1
PACKAGE github.com.acme.shop github.com.acme.shop.cart 3/6
CLASS github.com.acme.shop.cart github.com.acme.shop.cart.List 0/1
CLASS github.com.acme.shop.cart github.com.acme.shop.cart.Money 1/1
CLASS github.com.acme.shop.cart github.com.acme.shop.cart.Server 1/2
CLASS github.com.acme.shop.cart github.com.acme.shop.cart.func 1/2
PACKAGE github.com.acme.shop github.com.acme.shop.cart_test 0/1
CLASS github.com.acme.shop.cart_test github.com.acme.shop.cart_test.func 0/1
PACKAGE github.com.acme.shop github.com.acme.shop.cmd.server 1/1
CLASS github.com.acme.shop.cmd.server github.com.acme.shop.cmd.server.func 1/1
PACKAGE github.com.acme.shop github.com.acme.shop.internal.store 1/1
CLASS github.com.acme.shop.internal.store github.com.acme.shop.internal.store.DB 1/1
PACKAGE  gopkg.in.yaml.v3 0/1
CLASS gopkg.in.yaml.v3 gopkg.in.yaml.v3.Decoder 0/1
`), "\n")
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	nodes, err = c.Snapshot(Query{SinceMillis: someTime})
	if err != nil || nodes[0].Used != 0 || nodes[0].LastInvokedAtMillis != 0 {
		t.Errorf("since later: %+v, %v", nodes[0], err)
	}
}

// TestSignatureMerge: equal signatures with different hashes are one method.
func TestSignatureMerge(t *testing.T) {
	c := start(t, Options{})
	cl := dial(t, c)
	one, two := entry("a.func", "F", ""), entry("a.func", "F", "")
	two.Hash = "another"
	abstract := entry("a.func", "G", "")
	abstract.Modifiers = "public abstract"
	cl.good(someCommon(), someTime, []Entry{one, two, abstract}, two.Hash)
	if got := len(c.Functions(Query{})); got != 2 {
		t.Errorf("%d functions, want 2", got)
	}
	nodes, err := c.Snapshot(Query{})
	if err != nil || nodes[0].Used != 1 || nodes[0].Unused != 0 {
		t.Errorf("nodes %+v, %v", nodes, err)
	}
	wantRules(t, c, "node", "modifiers")
}

func TestBadSignatureFailsSnapshot(t *testing.T) {
	c := start(t, Options{})
	cl := dial(t, c)
	bad := entry("b.func", "G", "")
	bad.Signature = "b.func.G"
	cl.good(someCommon(), someTime, []Entry{entry("a.func", "F", ""), bad})
	if _, err := c.Snapshot(Query{}); err == nil || !strings.Contains(err.Error(), "b.func.G") {
		t.Errorf("Snapshot: %v, want an error that names b.func.G", err)
	}
	if _, err := c.Snapshot(Query{Application: "other"}); err != nil {
		t.Errorf("Snapshot of another application: %v", err)
	}
	wantRules(t, c, "signature")
}

func TestLongParentFailsSnapshot(t *testing.T) {
	for over := range 2 {
		c := start(t, Options{})
		cl := dial(t, c)
		e := entry("a.func", "F", "")
		e.Signature = strings.Repeat("a", 1000+over) + ".F()"
		cl.good(someCommon(), someTime, []Entry{e})
		if _, err := c.Snapshot(Query{}); (err != nil) != (over == 1) {
			t.Errorf("parent with %d characters: %v", 1000+over, err)
		}
	}
}

func TestCheckSignature(t *testing.T) {
	for signature, want := range map[string]string{
		"github.com.acme.shop.func.Map(map[string]T,func❨a·b❩ error)": "",
		"a-b.c~d.e_f.func.F-func1(<-chan int, …interface { })":        "",
		"a.func.Map(map[string]T,func(a) error)":                      `shows "Map(map[string]T, func)"`,
		"a.func.F(*http.Request)":                                     `shows "F(Request)"`,
		"a.func.F(...T)":                                              `shows "F(T)"`,
		"a.func.F(T)U)":                                               `shows "F(T)"`,
		"a.func.日本(日本)":                                               "",
		"a.b$C.f()":                                                   "forbidden character",
		"a.b#.f()":                                                    "forbidden character",
		"a.b&c.f()":                                                   "forbidden character",
		"a.c++.f()":                                                   "forbidden character",
		"a.yaml%2ev3.f()":                                             "forbidden character",
		"a.List[T].f()":                                               "forbidden character",
		"a.{b}.f()":                                                   "forbidden character",
		"a.b|c.f()":                                                   "forbidden character",
		`a.b\c.f()`:                                                   "forbidden character",
		"a.b^c.f()":                                                   "forbidden character",
		"a.<b>.f()":                                                   "forbidden character",
		`a."b".f()`:                                                   "forbidden character",
		"a.b`c.f()":                                                   "forbidden character",
		"a.b c.f()":                                                   "forbidden character",
		"a.b\tc.f()":                                                  "control character",
		"a..b.f()":                                                    "empty segment",
		".a.f()":                                                      "empty segment",
		"a.日本.f()":                                                    "ASCII word character",
		"a.b-.f()":                                                    "ASCII word character",
		"a.b.f(Outer$Inner)":                                          "dollar",
		"a.b.f":                                                       "every snapshot fails",
		"a.b.f(":                                                      "every snapshot fails",
	} {
		err := checkSignature(signature)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", signature, err, want)
		}
	}
}

func TestViolations(t *testing.T) {
	good := entry("a.func", "F", "")
	with := func(change func(e *Entry)) []Entry {
		e := good
		change(&e)
		return []Entry{e}
	}
	for _, test := range []struct {
		name    string
		change  func(d *Common)
		entries []Entry
		started int64
		hash    string
		want    []string
	}{
		{"good", nil, []Entry{good}, someTime, good.Hash, nil},
		{"interval start 0", nil, []Entry{good}, 0, good.Hash, []string{"interval"}},
		{"interval start within minute 0", nil, []Entry{good}, 59_999, good.Hash, []string{"interval"}},
		{"negative interval start", nil, []Entry{good}, -1, good.Hash, []string{"interval"}},
		{"interval start ahead", nil, []Entry{good}, someTime + 3_600_000, good.Hash, []string{"clock"}},
		{"published ahead", func(d *Common) { d.PublishedAtMillis += 3_600_000 }, []Entry{good}, someTime, good.Hash, []string{"clock"}},
		{"started ahead", func(d *Common) { d.StartedAtMillis += 3_600_000 }, []Entry{good}, someTime, good.Hash, []string{"clock"}},
		{"beyond TIMESTAMP", func(d *Common) { d.PublishedAtMillis = lastTimestamp + 1 }, []Entry{good}, someTime, good.Hash,
			[]string{"clock", "import", "import"}},
		{"unknown hash", nil, []Entry{good}, someTime, "nothing", []string{"unknown hash"}},
		{"no entries", nil, nil, someTime, good.Hash, []string{"empty", "unknown hash"}},
		{"<init>", nil, with(func(e *Entry) { e.MethodName = "<init>" }), someTime, good.Hash, []string{"signature"}},
		{"long signature", nil, with(func(e *Entry) { e.Signature = "a.func.F(" + strings.Repeat("x", 990) + ")" }), someTime, good.Hash, []string{"length"}},
		{"declaring type", nil, with(func(e *Entry) { e.DeclaringType = "a[" }), someTime, good.Hash, []string{"signature"}},
		{"one hash for two", nil, append(with(func(e *Entry) { e.Signature = "a.func.G()" }), good), someTime, good.Hash, []string{"hash"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := start(t, Options{Now: nowAtSomeTime})
			d := someCommon()
			if test.change != nil {
				test.change(&d)
			}
			dial(t, c).good(d, test.started, test.entries, test.hash)
			wantRules(t, c, test.want...)
		})
	}
	t.Run("invocations without codebase", func(t *testing.T) {
		c := start(t, Options{})
		cl := dial(t, c)
		if err := cl.invocations(someCommon(), someTime); err != nil {
			t.Fatal(err)
		}
		if err := c.WaitImported(testContext(t)); err != nil {
			t.Fatal(err)
		}
		wantRules(t, c, "poll", "fingerprint")
	})
	t.Run("bounded", func(t *testing.T) {
		c := start(t, Options{})
		list := someEntries(100)
		for i := range list {
			list[i].Signature = fmt.Sprintf("a%d", i)
		}
		dial(t, c).good(someCommon(), someTime, list)
		got := c.Violations()
		if len(got) != maxPerRule+1 || got[maxPerRule].Text != "and more of these" || got[0].Request != 2 {
			t.Errorf("violations: %v", got)
		}
	})
}
