package main

import (
	"bytes"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

const tinyServer = `package main

import (
	_ "expvar"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if os.Args[2] == "refuse" {
		log.Fatal("no such site")
	}
	http.HandleFunc("/site", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 100_000)) })
	go func() { log.Fatal(http.ListenAndServe(os.Args[1], nil)) }()
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	<-ended
}
`

// tinyTrial returns a server of the standard library alone, and its binary.
func tinyTrial(t *testing.T) (*trial, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"main.go": tinyServer, "go.mod": "module example.com/tiny\n\ngo 1.24\n"} {
		if err := write(filepath.Join(dir, name), text); err != nil {
			t.Fatal(err)
		}
	}
	if err := (&program.Program{Dir: dir}).Build(t.Context(), "-o", "tiny", "."); err != nil {
		t.Fatal(err)
	}
	tr := &trial{scenario: scenario{name: "tiny", vars: mainAddr,
		args: func(p place) ([]string, error) { return []string{p.addr, p.behind}, nil },
		dial: func(p place) func() (connection, error) { return dialHTTP(p.addr, false, [][]byte{httpGet("/site")}) },
	}}
	return tr, filepath.Join(dir, "tiny")
}

func TestProcess(t *testing.T) {
	tr, binary := tinyTrial(t)
	// What this process has must not count as the server's.
	ballast := bytes.Repeat([]byte{1}, 200<<20)
	defer runtime.KeepAlive(ballast)
	all, err := cpus()
	if err != nil {
		t.Fatal(err)
	}
	addr, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	at := place{dir: t.TempDir(), addr: addr}
	p, err := launch(t.Context(), tr, []string{binary}, at, all[:1], 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, rate := range []float64{0, 10_000} {
		var all load
		for range 4 {
			l, err := p.load(t.Context(), 100, rate)
			if err != nil {
				t.Fatal(err)
			}
			all.add(l)
		}
		f := all.figures()
		if all.requests != 400 || len(all.latencies) != 400 {
			t.Errorf("rate %v: %d requests, %d latencies, want 400", rate, all.requests, len(all.latencies))
		}
		if f.cpu <= 0 || f.rate <= 0 || f.p50 <= 0 || f.p50 > f.p99 || f.p99 > f.p999 || f.allocs < 1 {
			t.Errorf("rate %v: %+v", rate, f)
		}
		if rate > 0 && f.rate > rate*1.01 {
			t.Errorf("%v requests a second, want at most %v", f.rate, rate)
		}
	}
	memory, err := p.stop()
	if err != nil || memory < 1<<20 || memory > 150<<20 {
		t.Errorf("stop() = %d, %v, want some megabytes", memory, err)
	}

	// A server that does not start is not waited for, and says why.
	at.behind = "refuse"
	if _, err := launch(t.Context(), tr, []string{binary}, at, all, 4, nil); err == nil || !strings.Contains(err.Error(), "no such site") {
		t.Errorf("err = %v, want what the server wrote", err)
	}
}

// A generated program calls all its functions, and ends with its input.
func TestGrown(t *testing.T) {
	g := &growth{dir: t.TempDir()}
	s := &size{series: "some", packages: 2, functions: 3}
	p, err := g.generate(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Build(t.Context(), "-o", "plain", "."); err != nil {
		t.Fatal(err)
	}
	if other, err := g.generate(&size{series: "other", packages: 2, functions: 3}); err != nil || other.Path == p.Path {
		t.Errorf("two programs have the packages of %s, %v: the second one would be found in the build cache", p.Path, err)
	}
	waited := false
	r, err := runGrown(t.Context(), filepath.Join(p.Dir, "plain"), nil, func() error {
		waited = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !waited || r.start <= 0 || r.after < 0 || r.memory <= 0 {
		t.Errorf("%+v, waited: %v", r, waited)
	}
}
