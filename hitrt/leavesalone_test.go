//go:build !nonetwork

package hitrt

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func init() {
	childPrograms["random"] = func() {
		prog := newProgram(10)
		fmt.Println("started", Register(prog))
		own := &countedReader{}
		rand.Reader = own
		prog.call(1)
		Exit()
		fmt.Println("taken", own.taken.Load())
	}
}

// A countedReader is a source of zeros that counts them.
type countedReader struct{ taken atomic.Int64 }

func (r *countedReader) Read(b []byte) (int, error) {
	r.taken.Add(int64(len(b)))
	clear(b)
	return len(b), nil
}

// The time zone of a program is read once, when the first local time is printed. A program
// may set TZ until then, and time.Local at any time.
func TestLinesLeaveTimeZone(t *testing.T) {
	local := time.Local
	defer func() { time.Local = local }()
	time.Local = time.FixedZone("here", 9*3600)

	var out bytes.Buffer
	newLogger(&out, &settings{logLevel: levelInfo}).Info("line")
	stamp, _, _ := bytes.Cut(out.Bytes(), []byte(" "))
	if !bytes.HasPrefix(stamp, []byte("time=")) || !bytes.HasSuffix(stamp, []byte("Z")) {
		t.Errorf("the line begins with %s, want a time in UTC", stamp)
	}
}

// A program that resolves names itself sees its own requests only.
func TestResolverLeftAlone(t *testing.T) {
	resolver := net.DefaultResolver
	defer func() { net.DefaultResolver = resolver }()
	var asked atomic.Int32
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		asked.Add(1)
		return nil, net.ErrClosed
	}}

	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	c := newClient(&settings{serverURL: "http://collector.invalid", apiKey: testKey, grpcTLS: "auto"}, sending{})
	if _, err := c.initConfig(ctx); err == nil {
		t.Error("collector.invalid was found")
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the program's resolver was asked %d times", n)
	}
}

// A program that replaces the source of randomness can repeat what it does: TLS takes nothing
// of it.
func TestRandomLeftAlone(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("SSL_CERT_FILE has no effect")
	}
	fake := newFake()
	server := httptest.NewUnstartedServer(fake)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	roots := filepath.Join(t.TempDir(), "roots.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(roots, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := child(t, "random", "SCAVENGER_SERVER_URL="+server.URL, "SCAVENGER_API_KEY="+testKey, "SCAVENGER_EXIT_TIMEOUT=1m",
		"SSL_CERT_FILE="+roots, "HOME=", "XDG_STATE_HOME=", "SCAVENGER_SAVE_UNSENT=false").Output()
	if err != nil || !strings.HasPrefix(string(out), "started true\n") || len(fake.got(methodInvocations)) == 0 {
		t.Fatalf("%v, %d publications\n%s", err, len(fake.got(methodInvocations)), out)
	}
	if !strings.HasSuffix(string(out), "\ntaken 0\n") {
		t.Errorf("of the program's randomness: %s", out)
	}
}

// Nor does HTTP/2, which asks by a PING with random content whether a connection lives, once a
// call on it has had no answer.
func TestRandomLeftAloneWithoutAnswer(t *testing.T) {
	var accepted atomic.Int64
	target := h2Counting(t, &accepted, false) // accepts, and says nothing
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"collectorUrl": %q}`, target)
	}))
	out, err := child(t, "random", "SCAVENGER_SERVER_URL="+server.URL, "SCAVENGER_API_KEY="+testKey, "SCAVENGER_EXIT_TIMEOUT=1s",
		"HOME=", "XDG_STATE_HOME=", "SCAVENGER_SAVE_UNSENT=false").Output()
	if err != nil || accepted.Load() == 0 {
		t.Fatalf("%v, %d connections\n%s", err, accepted.Load(), out)
	}
	if string(out) != "started true\ntaken 0\n" {
		t.Errorf("of the program's randomness: %s", out)
	}
}
