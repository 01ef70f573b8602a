//go:build !nonetwork

package hitrt

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	fake "github.com/naver/scavenger/scavenger-wrap/e2e/collector"
)

// oddSource is Go, as no program should have it.
const oddSource = `package p

func init()                                                            {}
func _(_, _ int)                                                       {}
func 世界(ä Ünïcode, 𝒳 *𝒳𝒴[日本, chan<- struct{ X map[[2]Ä]func(...int) }])  {}
func (日本) 言語()                                                         {}
func (x *List[K, V]) Push(k K, v ...V) (n int)                         {}
func (_ Tree[_]) Walk(yield func(_ *node[struct{}]) bool)              {}
func (*Outer_Inner_) Méthode·(x interface{ ~int | ~string; M() (a, b int) }) {}
func F[T ~[]E, E interface{ comparable; String() string }](s T) E      {}
func G(a [len("$(")]int, b <-chan (<-chan int), c struct{ A, b int ` + "`json:\"$a(b)\"`" + ` }) {}
func (T) String() string                                               {}
func ǅungla(p unsafe.Pointer, q pkg.Type[pkg2.Other], r [...]int)       {}
`

// identities returns lines of package, receiver, name and parameters, separated
// by tabs, for the functions in Go source.
func identities(tb testing.TB, path, source string) string {
	tb.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", source, parser.SkipObjectResolution)
	if file == nil {
		tb.Fatal(err)
	}
	text := func(e ast.Expr) string {
		var b bytes.Buffer
		_ = printer.Fprint(&b, fset, e)
		return strings.Join(strings.Fields(b.String()), " ")
	}
	var lines strings.Builder
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		receiver, params := "", []string{}
		if f.Recv != nil && len(f.Recv.List) == 1 {
			receiver = text(f.Recv.List[0].Type)
		}
		for _, p := range f.Type.Params.List {
			for range max(len(p.Names), 1) {
				params = append(params, text(p.Type))
			}
		}
		fmt.Fprintf(&lines, "%s\t%s\t%s\t%s\n", path, receiver, f.Name.Name, strings.Join(params, ","))
	}
	return lines.String()
}

// FuzzExporter sends arbitrary identities through the encoder to the collector of
// the end-to-end tests, which checks columns and characters as the real one does,
// imports them, and splits them into the tree of its web page.
func FuzzExporter(f *testing.F) {
	paths, err := os.ReadFile("testdata/paths.txt")
	if err != nil {
		f.Fatal(err)
	}
	odd := identities(f, "P", oddSource)
	var all strings.Builder
	for path := range strings.FieldsSeq(string(paths)) {
		all.WriteString(strings.ReplaceAll(odd, "P\t", path+"\t"))
	}
	f.Add(all.String(), "shop", "production")
	f.Add("p\t\tF\t\n", "\x00", " ") // blank, which the collector takes for the default
	f.Add(odd, strings.Repeat("ä𝒳", 300), "日本\x00 $")
	for _, dir := range []string{"slices", "net/http", "go/types", "reflect"} {
		var text strings.Builder
		files, _ := filepath.Glob(filepath.Join(build.Default.GOROOT, "src", dir, "*.go"))
		for _, file := range files {
			if source, err := os.ReadFile(file); err == nil {
				text.WriteString(identities(f, dir, string(source)))
			}
		}
		f.Add(text.String(), dir, "")
	}
	f.Add("a/"+strings.Repeat("p-/", 300)+"\t*"+strings.Repeat("T", 400)+"[K]\t"+strings.Repeat("𝒳", 400)+"\t"+strings.Repeat("int,", 900)+"\n", "x", "y")
	f.Fuzz(func(t *testing.T, text, app, environment string) {
		checkAtCollector(t, text, app, environment)
	})
}

// checkAtCollector publishes functions, and hits of every other one, and looks at
// what became of them.
func checkAtCollector(t *testing.T, text, app, environment string) {
	t.Helper()
	prog, called := programOf(text)
	if len(called) == 0 {
		return
	}
	server, err := fake.Start(fake.Options{NoJitter: true})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	set := &settings{serverURL: server.URL(), apiKey: fake.DemoKey, grpcTLS: "auto", appName: app, environment: environment, maxMessage: 1 << 20}
	set.applyDefaults()
	p := newPublisher(prog, set)
	p.process, p.codebase = newUUID(), newCodebase(prog.Packages)
	p.exporter = newExporter(p)
	defer p.exporter.client.closeIdle()
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	defer cancel()
	if _, err := p.exporter.fetchConfig(pollTimeout); err != nil {
		t.Fatal(err)
	}
	for !p.exporter.complete {
		if err := p.exporter.publishChunk(); err != nil {
			t.Fatal(err)
		}
	}
	if err := server.WaitImported(ctx); err != nil {
		t.Fatal(err)
	}
	if err := p.exporter.sendRest(); err != nil {
		t.Fatal(err)
	}
	if err := server.Check(ctx); err != nil {
		t.Fatal(err)
	}
	rows := server.Functions(fake.Query{Application: set.appName, Environment: set.environment})
	if len(rows) != len(called) {
		t.Errorf("%d functions at the collector, want %d", len(rows), len(called))
	}
	for _, row := range rows {
		if want, ok := called[row.Hash]; !ok || row.Used != want {
			t.Errorf("%s is used: %v, want %v (known: %v)", row.Signature, row.Used, want, ok)
		}
	}
	nodes, err := server.Snapshot(fake.Query{Application: set.appName, Environment: set.environment})
	if err != nil {
		t.Fatal(err)
	}
	methods := map[string]bool{} // equal signatures are one node
	for _, row := range rows {
		methods[row.Signature] = true
	}
	for _, n := range nodes {
		if n.Type == fake.MethodNode {
			if !methods[n.Signature] {
				t.Errorf("the tree has a method %q", n.Signature)
			}
			delete(methods, n.Signature)
		}
	}
	for signature := range methods {
		t.Errorf("the tree has no method %q", signature)
	}
}

// programOf makes a program of lines as identities returns them, with every other
// function called. called has the hashes.
func programOf(text string) (p *Program, called map[string]bool) {
	p, called = &Program{Main: "example.com/fuzz", Executable: true}, map[string]bool{}
	entries := map[string][]string{}
	var order []string
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 4 || fields[0] == "" {
			continue
		}
		path, receiver, name := fields[0], fields[1], fields[2]
		hash := signatureHash(path, receiver, name)
		if _, ok := called[hex.EncodeToString(hash[:])]; ok {
			continue // Go has one of a name
		}
		if entries[path] == nil {
			order = append(order, path)
		}
		n := len(entries[path])
		called[hex.EncodeToString(hash[:])] = n%2 == 1
		entries[path] = append(entries[path], fmt.Sprintf("%d\tf.go\t%d\t%s\t%s\t%s\n", n, n+1, receiver, name, fields[3]))
	}
	for _, path := range order {
		marks := bytesOf(make([]uint64, len(entries[path])/8+1))
		for i := range entries[path] {
			marks[i] = uint8(i % 2)
		}
		p.Packages = append(p.Packages, Package{Path: path, Marks: marks, Entries: strings.Join(entries[path], "")})
	}
	return p, called
}
