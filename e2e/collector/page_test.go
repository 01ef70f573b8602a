// The web page's labels, links and list of processes.

package collector

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// What the real page's script returns for these, run by Node.js on eab208f.
func TestShortLabel(t *testing.T) {
	for label, want := range map[string]string{
		"cart":                              "cart",
		"F()":                               "F()",
		"F(int,string)":                     "F(int, string)",
		"Sum(...T)":                         "Sum(T)",
		"Sum(…T)":                           "Sum(…T)",
		"Serve(*http.Request)":              "Serve(Request)",
		"Serve(*http·Request)":              "Serve(*http·Request)",
		"Filter([]T,func(T) bool)":          "Filter([]T, func)",
		"Filter([]T,func❨T❩ bool)":          "Filter([]T, func❨T❩ bool)",
		"F(a)b":                             "F(a)",
		"F((a,b))":                          "F((a,b))",
		"F(Outer$Inner)":                    "F(Inner)",
		"F(struct{ A int; B string })":      "F(struct{ A int; B string })",
		"Add·func1(context·Context)":        "Add·func1(context·Context)",
		"F(...)":                            "F()",
		"F(map[string]chan<- int,<-chan a)": "F(map[string]chan<- int, <-chan a)",
	} {
		if got := shortLabel(label); got != want {
			t.Errorf("%q is shown as %q, want %q", label, got, want)
		}
	}
}

// TestPage: what somebody sees of a Go program who opens all nodes.
func TestPage(t *testing.T) {
	c := start(t, Options{})
	cl := dial(t, c)
	var list []Entry
	for line := range strings.SplitSeq(strings.TrimSpace(`
github.com.BurntSushi.toml.func Decode string,any
github.com.acme.shop.cart.Server ServeHTTP http·ResponseWriter,*http·Request
github.com.acme.shop.cart.func Sum …T
github.com.acme.shop.cart.func Filter []T,func❨T❩_bool
github.com.acme.shop.store~type Get string
github.com.acme.shop.store.func open
github.com.acme.shop.func Add·func1
gopkg.in.yaml·v3.func Unmarshal []byte,any
`), "\n") {
		fields := append(strings.Fields(line), "")
		list = append(list, entry(fields[0], fields[1], strings.ReplaceAll(fields[2], "_", " ")))
	}
	cl.good(someCommon(), someTime, list)
	wantRules(t, c)
	nodes, err := c.Snapshot(Query{})
	if err != nil {
		t.Fatal(err)
	}
	page, err := Page(nodes)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range page {
		got = append(got, strings.TrimRight(n.Type[:1]+" "+n.Label+" | "+n.Row, "| "))
	}
	want := strings.Split(strings.TrimSpace(`
P github.com
P BurntSushi.toml | g.c.BurntSushi.toml
C func | g.c.BurntSushi.t.func
M Decode(string,any) | g.c.BurntSushi.t.f.Decode(string, any)
P acme.shop | g.c.acme.shop
P cart | g.c.a.s.cart
C Server | g.c.a.s.c.Server
M ServeHTTP(http·ResponseWriter,*http·Request) | g.c.a.s.c.Server.ServeHTTP(http·ResponseWriter, *http·Request)
C func | g.c.a.s.c.func
M Filter([]T,func❨T❩ bool) | g.c.a.s.c.f.Filter([]T, func❨T❩ bool)
M Sum(…T) | g.c.a.s.c.f.Sum(…T)
P store | g.c.a.s.store
C func | g.c.a.s.s.func
M open() | g.c.a.s.s.f.open()
C func | g.c.a.s.func
M Add·func1() | g.c.a.s.f.Add·func1()
C store~type | g.c.a.s.store~type
M Get(string) | g.c.a.s.s.Get(string)
P gopkg.in.yaml·v3
C func | g.i.y.func
M Unmarshal([]byte,any) | g.i.y.f.Unmarshal([]byte, any)
`), "\n")
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(page) != len(nodes) {
		t.Errorf("%d of %d nodes can be opened", len(page), len(nodes))
	}
}

// What the page cannot ask for it cannot show, and an empty segment stops its script.
func TestPageCannotOpen(t *testing.T) {
	page, err := Page([]Node{{Signature: "a.List[T]", Type: ClassNode}, {Signature: "a.List[T].F()", Parent: "a.List[T]", Type: MethodNode}})
	if err != nil || len(page) != 1 {
		t.Errorf("%v, %v, want one node", page, err)
	}
	if _, err := Page([]Node{{Signature: "a..b", Type: ClassNode}}); err == nil {
		t.Error("no error for an empty segment")
	}
}

// Functions that the page would show as one are noted, whoever publishes them.
func TestSharedNodes(t *testing.T) {
	other := entry("a.b.func", "F", "")
	other.Hash = "other"
	for _, test := range []struct {
		name string
		list []Entry
		want []string
	}{
		{"alone", []Entry{entry("a.b.func", "F", ""), entry("a.b.c.func", "F", "")}, nil},
		{"function", []Entry{entry("a.b.func", "F", ""), other}, []string{"node"}},
		{"type and package", []Entry{entry("a.store", "Get", ""), entry("a.store.func", "F", "")}, []string{"node"}},
		{"package and type", []Entry{entry("a.store.func", "F", ""), entry("a.store", "Get", "")}, []string{"node"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := start(t, Options{})
			cl := dial(t, c)
			cl.good(someCommon(), someTime, test.list[:1])
			d := someCommon()
			d.UUID, d.AppName, d.Fingerprint = "uuid-2", "another", "f2"
			cl.good(d, someTime, test.list[1:])
			wantRules(t, c, test.want...)
		})
	}
}

func TestGitHubLink(t *testing.T) {
	const shop, page = "https://github.com/acme/shop/tree/main", "github.com.acme.shop"
	one := []Mapping{{page, shop}}
	each := []Mapping{{page, shop + "#"}, {page + ".cart", shop + "/cart#"}, {page + ".cart.item", shop + "/cart/item#"}}
	for _, test := range []struct {
		mappings  []Mapping
		kind      string
		signature string
		want      string
	}{
		{nil, ClassNode, page + ".cart.Server", ""},
		{one, PackageNode, page + ".cart.item", shop + "/cart/item"},
		{one, ClassNode, page + ".cart.Server", shop + "/cart/Server.java"},
		{one, MethodNode, page + ".cart.Server.Close()", shop + "/cart/Server.java"},
		{one, MethodNode, page + ".cart.func.Add(Item,int)", shop + "/cart/func.java"},
		{one, PackageNode, page + "ping", shop + "ping"}, // no boundary
		{one, PackageNode, "github.com.acme", ""},
		{each, PackageNode, page, shop + "#"},
		{each, PackageNode, page + ".cart", shop + "/cart#"},
		{each, ClassNode, page + ".cart.Server", shop + "/cart#/Server.java"},
		{each, MethodNode, page + ".cart.func.Add(Item,int)", shop + "/cart#/func.java"},
		{each, MethodNode, page + ".cart.store~type.Get(string)", shop + "/cart#/store~type.java"},
		{each, MethodNode, page + ".cart.item.Item.Price()", shop + "/cart/item#/Item.java"},
		{each, ClassNode, page + ".App", shop + "#/App.java"},
		{each, ClassNode, page + ".other.Thing", shop + "#/other/Thing.java"},
		// The first upper-case letter ends what is compared.
		{[]Mapping{{"github.com.BurntSushi.toml", "x"}}, MethodNode, "github.com.BurntSushi.toml.Decoder.Decode(any)", ""},
		{[]Mapping{{"github.com.BurntSushi", "x#"}}, MethodNode, "github.com.BurntSushi.toml.Decoder.Decode(any)", "x#.java"},
		{[]Mapping{{"a", "x/"}}, ClassNode, "a.Outer$Inner", "x//Outer.java"},
		{[]Mapping{{"", "x/"}}, MethodNode, "main()", "x/.java"},
	} {
		if got := GitHubLink(Node{Signature: test.signature, Type: test.kind}, test.mappings); got != test.want {
			t.Errorf("%s leads to %q, want %q", test.signature, got, test.want)
		}
	}
}

// A process that polls and publishes nothing is not in the page's list, and the hourly job
// forgets it.
func TestAgents(t *testing.T) {
	now := time.UnixMilli(someTime)
	c := start(t, Options{Now: func() time.Time { return now }})
	cl := dial(t, c)
	if _, err := cl.poll(DemoKey, "asks-only"); err != nil {
		t.Fatal(err)
	}
	cl.good(someCommon(), someTime, someEntries(1))
	if got := c.Agents(DemoKey); len(got) != 1 || got[0].UUID != someCommon().UUID || got[0].LastPolledAtMillis != someTime {
		t.Errorf("listed: %+v", got)
	}
	if got := c.Agents("another workspace"); len(got) != 0 {
		t.Errorf("listed elsewhere: %+v", got)
	}
	if got := len(c.Tables().AgentStates); got != 2 {
		t.Errorf("%d rows of agent_state, want 2", got)
	}
	c.CollectHourly(now.Add(51 * time.Minute))
	if got := c.Tables().AgentStates; len(got) != 0 {
		t.Errorf("left after 51 minutes: %+v", got)
	}
}

// The loop in docs/page.md makes mappings that lead each node to its package's directory.
func TestGitHubMappingsDocument(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh")
	}
	text, err := os.ReadFile("../../docs/page.md")
	if err != nil {
		t.Fatal(err)
	}
	_, loop, _ := strings.Cut(string(text), "```sh\n")
	loop, _, ok := strings.Cut(loop, "```")
	if !ok {
		t.Fatal("docs/page.md has no loop")
	}
	// In place of the commands, what they would print and what they get.
	const commands = `
go() { printf 'github.com/acme/shop\ngithub.com/acme/shop/cart\ngithub.com/acme/shop/cart/item\n'; }
curl() { while [ "$1" != -d ]; do shift; done; echo "$2"; }
`
	out, err := exec.Command(sh, "-c", commands+loop).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var mappings []Mapping
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var m Mapping
		if err := dec.Decode(&m); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		mappings = append(mappings, m)
		if row := "| `" + m.BasePackage + "` | `" + m.URL + "` |"; !strings.Contains(string(text), row) {
			t.Errorf("docs/page.md lacks %s", row)
		}
	}
	if len(mappings) != 3 {
		t.Fatalf("%d mappings\n%s", len(mappings), out)
	}
	for signature, want := range map[string]string{
		"github.com.acme.shop.func.main()": "", "github.com.acme.shop.cart.Server.Close()": "/cart",
		"github.com.acme.shop.cart.store~type.Get(string)": "/cart", "github.com.acme.shop.cart.item.func.New()": "/cart/item",
	} {
		got, _, _ := strings.Cut(GitHubLink(Node{Signature: signature, Type: MethodNode}, mappings), "#")
		if want = "https://github.com/acme/shop/tree/main" + want; got != want {
			t.Errorf("%s leads to %q, want %q", signature, got, want)
		}
	}
}
