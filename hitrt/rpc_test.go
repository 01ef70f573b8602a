//go:build !nonetwork

package hitrt

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	fake "github.com/naver/scavenger/scavenger-wrap/e2e/collector"
)

// serve runs a handler on a real port, as the collector does: HTTP/1.1 and h2c.
func serve(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func testClient(t *testing.T, serverURL, grpcTLS string) *client {
	t.Helper()
	c := newClient(&settings{serverURL: serverURL, apiKey: testKey, grpcTLS: grpcTLS}, sending{})
	t.Cleanup(c.closeIdle)
	return c
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestCallOverNetwork(t *testing.T) {
	server := serve(t, newFake())
	c := testClient(t, server.URL, "auto")
	ctx := within(t, hang)
	target, err := c.initConfig(ctx)
	if err != nil || target != server.URL {
		t.Fatalf("initConfig = %q, %v, want %q", target, err, server.URL)
	}
	body, err := c.call(ctx, target, methodPoll, encodeConfigRequest(testKey, newUUID()))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := decodeIntervals(body); err != nil || v.poll != 120 {
		t.Errorf("intervals %+v, %v, want 120 s", v, err)
	}
	// A message of the largest size.
	big := appendString(newMessage(0), 1, strings.Repeat("x", maxMessage-frameSize-10))
	var status *statusError
	if _, err := c.call(ctx, target, methodPoll, big); !errors.As(err, &status) || status.grpc != 3 || !strings.Contains(err.Error(), "poll") {
		t.Errorf("large poll: %v, want INVALID_ARGUMENT with its text", err)
	}
}

func TestCallOverTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(newFake())
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()

	c := testClient(t, server.URL, "auto")
	ctx := within(t, hang)
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	c.web.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
	target, err := c.initConfig(ctx)
	if err != nil || target != server.URL {
		t.Fatalf("initConfig = %q, %v, want %q", target, err, server.URL)
	}
	// A certificate that is not trusted is an error, and no reason for plain text.
	if _, err := c.call(ctx, target, methodPoll, encodeConfigRequest(testKey, newUUID())); err == nil || !strings.Contains(err.Error(), "grpcTls=off") {
		t.Errorf("call without trust: %v, want an error that names grpcTls=off", err)
	}
	c = testClient(t, server.URL, "auto")
	c.secured.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
	if _, err := c.call(ctx, target, methodPoll, encodeConfigRequest(testKey, newUUID())); err != nil {
		t.Error(err)
	}
}

func TestGRPCTarget(t *testing.T) {
	tests := []struct{ server, tls, answer, want string }{
		{"http://c:8080", "auto", "c:8080", "http://c:8080"},
		{"http://c", "auto", "c", "http://c:80"},
		{"https://c", "auto", "c", "https://c:443"},
		{"https://c", "auto", "c:8443", "https://c:8443"},
		// An answer never takes TLS away.
		{"https://c", "auto", "http://c", "https://c:443"},
		{"https://c", "auto", "http://c:8080", "https://c:8080"},
		{"https://c", "auto", "HTTP://c", "https://c:443"},
		{"http://c", "auto", "HTTPS://c", "https://c:443"},
		{"http://c", "auto", "Http://c", "http://c:80"},
		{"https://c", "auto", "ftp://c", ""},
		{"http://c", "auto", "ftp://c:80", ""},
		{"http://c", "off", "unix://c", ""},
		{"http://c", "auto", "://c", ""},
		{"https://c", "off", "http://c", "http://c:80"},
		{"http://c", "auto", "https://c/", "https://c:443"},
		{"https://c", "off", "c", "http://c:80"},
		{"https://c", "off", "https://c", "http://c:80"},
		{"http://c", "on", "c", "https://c:443"},
		{"http://c", "on", "http://c:9", "https://c:9"},
		{"http://c", "auto", "[::1]:8080", "http://[::1]:8080"},
		{"http://c", "auto", "[::1]", "http://[::1]:80"},
		{"http://c", "auto", "", ""},
		{"http://c", "auto", "http://", ""},
		{"http://c", "auto", "c:port", ""},
		{"http://c", "auto", "user@c", ""},
	}
	for _, test := range tests {
		c := &client{serverURL: test.server, grpcTLS: test.tls}
		got, err := c.grpcTarget(test.answer)
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("serverUrl %s, grpcTls %s, collectorUrl %q: %q, %v, want %q", test.server, test.tls, test.answer, got, err, test.want)
		}
	}
}

func TestOtherHost(t *testing.T) {
	for _, test := range []struct{ server, target, want string }{
		{"https://c", "https://c:443", ""},
		{"http://C:8080/base", "http://c:80", ""},
		{"http://[::1]:8080", "http://[::1]:80", ""},
		{"http://c", "http://d:80", "d"},
		{"http://c.example.com", "http://c.example.com.evil:80", "c.example.com.evil"},
	} {
		if got := otherHost(test.server, test.target); got != test.want {
			t.Errorf("otherHost(%s, %s) = %q, want %q", test.server, test.target, got, test.want)
		}
	}
}

// What an answer says of its size costs nothing: memory is taken for what has arrived.
func TestAnswerSizes(t *testing.T) {
	claims := func(size string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/grpc")
			w.Header().Set("Content-Length", size)
			_, _ = w.Write(body)
			panic(http.ErrAbortHandler)
		}
	}
	huge := []byte{0, 0xff, 0xff, 0xff, 0xff, 1<<3 | wireBytes, 0xff, 0xff, 0xff, 0xff, 0x0f, 'x'}
	for _, size := range []string{"9223372036854775807", "4294967295", "1073741824"} {
		server := serve(t, claims(size, huge))
		c := testClient(t, server.URL, "auto")
		began := allocated()
		if target, err := c.initConfig(within(t, hang)); err == nil {
			t.Errorf("Content-Length %s: initConfig = %q", size, target)
		}
		if answer, err := c.call(within(t, hang), server.URL, methodPoll, newMessage(0)); err == nil {
			t.Errorf("Content-Length %s: answer %q", size, answer)
		}
		if took := allocated() - began; took > 8<<20 {
			t.Errorf("Content-Length %s: %d bytes were allocated", size, took)
		}
	}
	message := huge[frameSize:]
	began := allocated()
	if _, err := decodeIntervals(message); err == nil {
		t.Error("a field of 4 GB is believed")
	}
	if _, err := decodeStatus(message); err == nil {
		t.Error("a status of 4 GB is believed")
	}
	if took := allocated() - began; took > 1<<20 {
		t.Errorf("%d bytes were allocated for a field that claims 4 GB", took)
	}
}

// allocated returns the bytes that this process has ever allocated.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// After a tick no connection and no goroutine is left.
func TestCallLeavesNothing(t *testing.T) {
	server := serve(t, newFake())
	before := runtime.NumGoroutine()
	c := testClient(t, server.URL, "auto")
	for range 20 {
		ctx, cancel := context.WithTimeout(context.Background(), hang)
		if _, err := c.initConfig(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := c.call(ctx, server.URL, methodPoll, encodeConfigRequest(testKey, newUUID())); err != nil {
			t.Fatal(err)
		}
		cancel()
		c.closeIdle()
	}
	after := 0
	for range int(hang / (10 * time.Millisecond)) {
		if after = runtime.NumGoroutine(); after <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", after, before)
}

// Against a server of google.golang.org/grpc, without and with TLS.
func TestCallGRPCServer(t *testing.T) {
	for _, secured := range []bool{false, true} {
		server, err := fake.Start(fake.Options{NoJitter: true, TLS: secured, MaxMessageSize: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		c := newClient(&settings{serverURL: server.URL(), apiKey: fake.DemoKey, grpcTLS: "auto"}, sending{})
		defer c.closeIdle()
		if secured {
			roots := x509.NewCertPool()
			if !roots.AppendCertsFromPEM(server.Certificate()) {
				t.Fatal("no certificate")
			}
			for _, transport := range []http.RoundTripper{c.web, c.secured} {
				transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
			}
		}
		ctx := within(t, hang)
		target, err := c.initConfig(ctx)
		if err != nil || strings.HasPrefix(target, "https:") != secured {
			t.Fatalf("TLS %v: target %q, %v", secured, target, err)
		}
		for key, want := range map[string]string{fake.DemoKey: "", "none": "UNAUTHENTICATED", strings.Repeat("x", 1<<20): "RESOURCE_EXHAUSTED"} {
			_, err := c.call(ctx, target, methodPoll, encodeConfigRequest(key, newUUID()))
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("TLS %v, key of %d bytes: %v, want %q", secured, len(key), err, want)
			}
		}
		for _, method := range []string{methodCodebase, methodInvocations} {
			var status *statusError
			if _, err := c.call(ctx, target, method, newMessage(0)); !errors.As(err, &status) || grpcCode(status.grpc) != "INVALID_ARGUMENT" {
				t.Errorf("TLS %v, empty %s: %v", secured, method, err)
			}
		}
		if _, err := c.call(ctx, target, "None", newMessage(0)); err == nil {
			t.Errorf("TLS %v: an unknown method is answered", secured)
		}
	}
}

// A program that was told to do without HTTP/2 says why nothing is sent.
func TestCallWithoutHTTP2(t *testing.T) {
	t.Setenv("GODEBUG", "http2client=0")
	server := serve(t, newFake())
	c := newClient(&settings{serverURL: server.URL, apiKey: testKey, grpcTLS: "auto"}, sending{})
	defer c.closeIdle()
	_, err := c.call(t.Context(), server.URL, methodPoll, encodeConfigRequest(testKey, "process"))
	if err == nil || !strings.Contains(err.Error(), "http2client=0") {
		t.Errorf("%v, want an error that names http2client=0", err)
	}
}
