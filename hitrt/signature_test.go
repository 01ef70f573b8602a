package hitrt

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

func TestSignature(t *testing.T) {
	tests := []struct {
		path, receiver, name, params string
		want                         string
	}{
		{"github.com/acme/shop/cart", "*Server", "Close", "", "github.com.acme.shop.cart.Server.Close()"},
		{"github.com/acme/shop/cart", "Money", "String", "", "github.com.acme.shop.cart.Money.String()"},
		{"github.com/acme/shop/cart", "", "Add", "Item,int", "github.com.acme.shop.cart.func.Add(Item,int)"},
		{"github.com/acme/shop/cart", "*List[T]", "Push", "T", "github.com.acme.shop.cart.List.Push(T)"},
		{"github.com/acme/shop/cart", "*store", "Get", "string", "github.com.acme.shop.cart.store~type.Get(string)"},

		// Parameters, of which the page shows all.
		{"github.com/acme/shop/cart", "", "Map", "[]T,func(T) U", "github.com.acme.shop.cart.func.Map([]T,func❨T❩ U)"},
		{"github.com/acme/shop/internal/store", "", "open", "string,...Option", "github.com.acme.shop.internal.store.func.open(string,…Option)"},
		{"example.com/a", "Server", "ServeHTTP", "http.ResponseWriter,*http.Request", "example.com.a.Server.ServeHTTP(http·ResponseWriter,*http·Request)"},
		{"example.com/a", "", "F", "map[string]struct{$ int}", "example.com.a.func.F(map[string]struct{_ int})"},
		{"example.com/a", "", "F", "struct{\n\tA int}", "example.com.a.func.F(struct{  A int})"},
		{"example.com/a", "", "F", strings.Repeat("int,", 300), "example.com.a.func.F(…)"},

		// Hosts, and what is none.
		{"gopkg.in/yaml.v3", "*Decoder", "Decode", "any", "gopkg.in.yaml·v3.Decoder.Decode(any)"},
		{"go.uber.org/zap", "", "L", "", "go.uber.org.zap.func.L()"},
		{"go/uber/org/zap", "", "L", "", "go.uber.org~_.zap.func.L()"},
		{"golang.org/x/net/dev", "", "F", "", "golang.org.x.net.dev.func.F()"},
		{"shop/net", "", "F", "", "shop.net~_.func.F()"},
		{"git.corp.internal/shop.v2", "", "F", "", "git·corp·internal.shop·v2.func.F()"},
		{"a.com.org/x", "", "F", "", "a·com·org.x.func.F()"},
		{"example.Acme.com/x", "", "F", "", "example·Acme·com.x.func.F()"},
		{"example.func.com/x", "", "F", "", "example·func·com.x.func.F()"},
		{"example..com/x", "", "F", "", "example··com.x.func.F()"},
		{"example-.com/x", "", "F", "", "example-·com.x.func.F()"},
		{"a.b/c", "", "F", "", "a·b.c.func.F()"},
		{"a/b/c", "", "F", "", "a.b.c.func.F()"},
		{"example/com", "", "F", "", "example.com~_.func.F()"},
		{"example.com", "", "F", "", "example.com.func.F()"},
		{"com/x", "", "F", "", "com.x.func.F()"},

		// Directories and types.
		{"example.com/shop", "store", "F", "", "example.com.shop.store~type.F()"},
		{"example.com/shop/store", "", "F", "", "example.com.shop.store.func.F()"},
		{"example.com/shop", "Store", "F", "", "example.com.shop.Store.F()"},
		{"example.com/shop/Store", "", "F", "", "example.com.shop.Store~_.func.F()"},
		{"example.com/shop/func", "", "F", "", "example.com.shop.func~_.func.F()"},
		{"github.com/BurntSushi/toml", "", "F", "", "github.com.BurntSushi.toml.func.F()"},
		{"github.com/Azure/ARO-RP", "", "F", "", "github.com.Azure.ARO-RP.func.F()"},
		{"git.corp/Team/x", "", "F", "", "git·corp.Team.x.func.F()"},
		{"example.com", "Team", "F", "", "example.com.Team~type.F()"},
		{"git.corp", "Team", "F", "", "git·corp.Team~type.F()"},
		{"shop/Team", "", "F", "", "shop.Team~_.func.F()"},
		{"shop", "Team", "F", "", "shop.Team.F()"},
		{"example.com/a", "日本", "F", "", "example.com.a.日本~type.F()"},
		{"example.com/a", "Ä", "F", "", "example.com.a.Ä~type.F()"},
		{"example.com/a", "Zoë", "F", "", "example.com.a.Zoë~type.F()"},
		{"example.com/a", "", "日本", "", "example.com.a.func.日本()"},

		// Elements that a dot must not follow, or that must not be in a URL.
		{"github.com/a/c++", "", "Run", "", "github.com.a.c~2b~2b.func.Run()"},
		{"github.com/a/b-", "", "F", "", "github.com.a.b-~_.func.F()"},
		{"github.com/a/b~", "", "F", "", "github.com.a.b~7e.func.F()"},
		{"github.com/a/b-c_d~e", "", "F", "", "github.com.a.b-c_d~7ee.func.F()"},
		{"example.com/.hidden/x", "", "F", "", "example.com.·hidden.x.func.F()"},
		{"example.com/a..b", "", "F", "", "example.com.a··b.func.F()"},
		{"example.com/a.", "", "F", "", "example.com.a·~_.func.F()"},
		{"example.com//b", "", "F", "", "example.com.~_.b.func.F()"},
		{"example.com/日", "", "F", "", "example.com.日~_.func.F()"},
		{"example.com/A日b", "", "F", "", "example.com.A日b.func.F()"},
		{"example.com/x/A日b", "", "F", "", "example.com.x.A日b~_.func.F()"},
		{"example.com/x", "A日b", "F", "", "example.com.x.A日b.F()"},
		{"a/$#& b", "", "F", "", "a.~24~23~26~20b.func.F()"},
		{"command-line-arguments", "", "main", "", "command-line-arguments.func.main()"},
		{"", "", "", "", "~_.func.~_()"},
	}
	for _, test := range tests {
		got := signature(declaringType(packagePart(test.path), test.receiver), test.name, test.params)
		if got != test.want {
			t.Errorf("signature of %q %q %q (%.20q) = %q, want %q", test.path, test.receiver, test.name, test.params, got, test.want)
		}
		checkSignature(t, test.path, test.receiver, test.name, test.params)
	}
}

// What has the form already keeps it: publish reads the parameters from signatures.
func TestParametersTwice(t *testing.T) {
	for _, params := range []string{"", "...T", "*http.Request,func(...interface{ F(a.B) }) c.D", "[...]int,[1.5]int", "chan (<-chan T)"} {
		once := parameters(params)
		if twice := parameters(once); twice != once || strings.ContainsAny(once, ".()$") {
			t.Errorf("%q becomes %q and then %q", params, once, twice)
		}
	}
}

// Long values are cut, but two different ones stay different.
func TestSignatureLong(t *testing.T) {
	long := strings.Repeat("directory-/", 100)
	seen := map[string]bool{}
	for _, id := range []struct{ path, receiver, name string }{
		{long + "a", "", "F"},
		{long + "b", "", "F"},
		{"x", strings.Repeat("T", 500) + "a", "F"},
		{"x", strings.Repeat("T", 500) + "b", "F"},
		{"x", strings.Repeat("𝒳", 500), "F"},
		{"x", "", strings.Repeat("F", 5000) + "a"},
		{"x", "", strings.Repeat("F", 5000) + "b"},
		{long, strings.Repeat("T", 500), strings.Repeat("F", 5000)},
	} {
		s := checkSignature(t, id.path, id.receiver, id.name, "int")
		if seen[s] {
			t.Errorf("signature %q twice", s)
		}
		seen[s] = true
	}
}

func TestSignatureHash(t *testing.T) {
	tests := []struct{ path, receiver, name, identity string }{
		{"github.com/acme/shop/cart", "", "Add", "github.com/acme/shop/cart.Add"},
		{"github.com/acme/shop/cart", "Server", "Close", "github.com/acme/shop/cart.(Server).Close"},
		{"github.com/acme/shop/cart", "*Server", "Close", "github.com/acme/shop/cart.(Server).Close"},
		{"github.com/acme/c++", "*List[K, V]", "Push", "github.com/acme/c++.(List).Push"},
	}
	for _, test := range tests {
		got, want := signatureHash(test.path, test.receiver, test.name), md5.Sum([]byte(test.identity))
		if got != want {
			t.Errorf("hash of %q %q %q = %x, want that of %s, %x", test.path, test.receiver, test.name, got, test.identity, want)
		}
	}
}

func TestMD5(t *testing.T) {
	for n := range 300 {
		data := bytes.Repeat([]byte{byte(n), 'x', 0xff}, n)[:n]
		if got, want := md5Sum(data), md5.Sum(data); got != want {
			t.Errorf("md5Sum of %d bytes = %x, want %x", n, got, want)
		}
	}
}

func TestClamp(t *testing.T) {
	tests := []struct {
		in   string
		n    int
		want string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "abc"},
		{"日本語", 2, "日本"},
		{"a𝒳b", 2, "a"}, // two UTF-16 units
		{"a𝒳b", 3, "a𝒳"},
		{"a\xffb\nc", 9, "a?b c"},
		{"", 3, ""},
	}
	for _, test := range tests {
		if got := clamp(test.in, test.n); got != test.want {
			t.Errorf("clamp(%q, %d) = %q, want %q", test.in, test.n, got, test.want)
		}
	}
}

// FuzzSignature sends arbitrary identities, also ones that Go does not allow,
// through the rules that the collector, its API and its UI need.
func FuzzSignature(f *testing.F) {
	f.Add("github.com/acme/shop/cart", "*Server", "Close", "context.Context,...int")
	f.Add("gopkg.in/yaml.v3", "", "Unmarshal", "[]byte,any")
	f.Add("a/c++/.x-/~", "T[K,V]", "日本", "$")
	f.Add("a b\xff..c", "(*X)", "<init>", "\n")
	f.Add(strings.Repeat("p-/", 200), strings.Repeat("T", 400), strings.Repeat("𝒳", 400), strings.Repeat("int,", 400))
	f.Fuzz(func(t *testing.T, path, receiver, name, params string) {
		checkSignature(t, path, receiver, name, params)
	})
}

// checkSignature checks the signature of a function against the contract, in
// words of its own, and returns it.
func checkSignature(t *testing.T, path, receiver, name, params string) string {
	t.Helper()
	declaring := declaringType(packagePart(path), receiver)
	s := signature(declaring, name, params)
	hash := signatureHash(path, receiver, name)

	if h := hex.EncodeToString(hash[:]); len(h) != 32 {
		t.Errorf("hash %q has %d characters, want 32", h, len(h))
	}
	if n := len(utf16.Encode([]rune(declaring))); n > 256 {
		t.Errorf("declaring type has %d characters, want at most 256", n)
	}
	if len(s) >= 1000 || !utf8.ValidString(s) {
		t.Errorf("signature %q has %d bytes or is not UTF-8", s, len(s))
	}
	before, arguments, found := strings.Cut(s, "(")
	if !found || arguments == "" || !strings.HasSuffix(arguments, ")") {
		t.Errorf("signature %q has no arguments", s)
	}
	if strings.ContainsAny(strings.TrimSuffix(arguments, ")"), "$.()") {
		t.Errorf("the page cuts arguments %q", arguments)
	}
	if !strings.HasPrefix(before, declaring+".") || strings.Contains(before[len(declaring)+1:], ".") {
		t.Errorf("signature %q is not the declaring type %q and a name", s, declaring)
	}
	if strings.ContainsAny(before, "$#&+%[]{}|\\^<>\"` ()/") || strings.Contains(before, "..") {
		t.Errorf("name part %q has a forbidden character", before)
	}
	segments := strings.Split(declaring, ".")
	for _, segment := range segments {
		if !regexp.MustCompile(`[A-Za-z0-9_]$`).MatchString(segment) {
			t.Errorf("segment %q of %q does not end in a word character", segment, declaring)
		}
	}
	// The API's own way to cut a signature must find the same pieces.
	pieces := regexp.MustCompile(`\b[.$]`).Split(before, -1)
	if len(pieces) != len(segments)+1 {
		t.Errorf("the API cuts %q into %q, want %d pieces", before, pieces, len(segments)+1)
	}
	return s
}

// The dots in a function literal's name would make classes of functions.
func TestMethodName(t *testing.T) {
	for name, want := range map[string]string{
		"Add": "Add", "Add.func1": "Add·func1", "Add.func1.2": "Add·func1·2", "F-range1.1": "F-range1·1", "F_range1": "F_range1", "größe": "größe", "": "~_", "a b\xff": "a~20b~ff",
	} {
		if got := methodName(name); got != want {
			t.Errorf("methodName(%q) = %q, want %q", name, got, want)
		}
	}
	if exported("Add.func1") || exported("Add-range1") || !exported("Add") {
		t.Error("a function literal counts as exported, or a function does not")
	}
}
