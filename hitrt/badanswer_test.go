//go:build !nonetwork

// Answers that are not those of a collector.

package hitrt

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestInitConfigBad(t *testing.T) {
	ok := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
	}
	tests := map[string]struct {
		handler http.HandlerFunc
		want    string // part of the error; empty = none
	}{
		"unknown_keys": {ok(`{"a":{"b":[1]},"collectorUrl":"c:1","z":null}`), ""},
		"snake_case":   {ok(`{"collector_url":"c:1"}`), ""},
		"html":         {ok("<html>login</html>"), "not JSON"},
		"empty":        {ok(""), "not JSON"},
		"no_url":       {ok("{}"), "want host:port"},
		"wrong_type":   {ok(`{"collectorUrl":1}`), "not JSON"},
		"endless":      {ok(strings.Repeat(" ", 1<<20)), "above"},
		"not_found":    {http.NotFound, "404"},
		"redirect":     {http.RedirectHandler("https://login.example.com/x?y", http.StatusFound).ServeHTTP, "302 to https://login.example.com"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var path, query string
			server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				path, query = r.URL.Path, r.URL.RawQuery
				test.handler(w, r)
			}))
			_, err := testClient(t, server.URL+"/base", "auto").initConfig(within(t, hang))
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), testKey) {
				t.Errorf("the api key in %v", err)
			}
			if path != "/base/javaagent/v5/initConfig" || query != "licenseKey="+testKey {
				t.Errorf("asked for %s?%s", path, query)
			}
		})
	}
}

// None of these may panic, hang, or pass for an answer.
func TestCallBadAnswers(t *testing.T) {
	grpc := func(status string, body ...byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/grpc")
			w.Header().Set("Trailer", "Grpc-Status")
			_, _ = w.Write(body)
			w.Header().Set("Grpc-Status", status)
		}
	}
	tests := map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"html": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, "text/html"},
		"json": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "{}")
		}, "application/json"},
		"too_large":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(413) }, "413"},
		"redirect":        {http.RedirectHandler("/elsewhere", http.StatusFound).ServeHTTP, "302"},
		"no_status":       {grpc("", 0, 0, 0, 0, 0), "without a gRPC status"},
		"bad_status":      {grpc("zero", 0, 0, 0, 0, 0), "without a gRPC status"},
		"unknown_status":  {grpc("99"), "gRPC status 99"},
		"trailers_only":   {func(w http.ResponseWriter, _ *http.Request) { grpcStatus(w, 16) }, "UNAUTHENTICATED"},
		"status_and_body": {grpc("8", 0, 0, 0, 0, 0), "RESOURCE_EXHAUSTED"},
		"no_message":      {grpc("0"), "not one gRPC message"},
		"truncated_frame": {grpc("0", 0, 0, 0), "not one gRPC message"},
		"short_message":   {grpc("0", 0, 0, 0, 0, 9, 1), "not one gRPC message"},
		"long_message":    {grpc("0", 0, 0, 0, 0, 1, 1, 2), "not one gRPC message"},
		"huge_length":     {grpc("0", 0, 0xff, 0xff, 0xff, 0xff, 1), "not one gRPC message"},
		"compressed":      {grpc("0", 1, 0, 0, 0, 1, 1), "not one gRPC message"},
		"endless": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/grpc")
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		}, "above"},
		"reset": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, ""},
		"no_answer": {func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		}, "deadline"},
		"slow_bytes": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/grpc")
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte{0})
				_ = http.NewResponseController(w).Flush()
				time.Sleep(10 * time.Millisecond)
			}
		}, "deadline"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := serve(t, test.handler)
			c := testClient(t, server.URL, "auto")
			limit := hang
			if test.want == "deadline" {
				limit = time.Second
			}
			body, err := c.call(within(t, limit), server.URL, methodPoll, newMessage(0))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("answer %q, error %v, want an error with %q", body, err, test.want)
			}
		})
	}
}

// What speaks no HTTP/2 at all.
func TestCallNoHTTP2(t *testing.T) {
	http1 := httptest.NewServer(newFake())
	defer http1.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.6\r\n")
			defer conn.Close()
		}
	}()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // never accepts
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, target := range []string{http1.URL, "http://" + listener.Addr().String(), "http://" + silent.Addr().String(), "http://127.0.0.1:1"} {
		c := testClient(t, target, "auto")
		began := time.Now()
		if body, err := c.call(within(t, time.Second), target, methodPoll, newMessage(0)); err == nil {
			t.Errorf("%s: answer %q", target, body)
		}
		if took := time.Since(began); took > hang {
			t.Errorf("%s: took %v", target, took)
		}
	}
	// HTTP/1.1 over TLS, where the handshake itself goes well.
	tls1 := httptest.NewUnstartedServer(newFake())
	tls1.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls1.StartTLS()
	defer tls1.Close()
	c := testClient(t, tls1.URL, "auto")
	c.secured.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: tls1.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	if body, err := c.call(within(t, time.Second), tls1.URL, methodPoll, newMessage(0)); err == nil {
		t.Errorf("HTTP/1.1 over TLS: answer %q", body)
	}
}
