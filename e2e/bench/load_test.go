package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A fake answers with what do returns.
type fake struct{ answer func(n int) error }

func (f fake) do(n int) error { return f.answer(n) }

func (f fake) Close() error { return nil }

func TestDrive(t *testing.T) {
	var mu sync.Mutex
	seen := map[int]int{}
	c := fake{func(n int) error {
		mu.Lock()
		defer mu.Unlock()
		seen[n]++
		return nil
	}}
	for _, rate := range []float64{0, 1e6} {
		clear(seen)
		o, err := drive(t.Context(), []connection{c, c, c}, 7, 100, rate)
		if err != nil {
			t.Fatal(err)
		}
		if len(seen) != 100 || len(o.latencies) != 100 {
			t.Errorf("rate %v: %d different requests, %d latencies, want 100", rate, len(seen), len(o.latencies))
		}
		for n, times := range seen {
			if n < 7 || n >= 107 || times != 1 {
				t.Errorf("rate %v: request %d was sent %d times", rate, n, times)
			}
		}
	}
}

// A server that stops for a moment holds up all requests that are due meanwhile.
func TestDriveCountsWaiting(t *testing.T) {
	const pause = 300 * time.Millisecond
	c := fake{func(n int) error {
		if n == 0 {
			time.Sleep(pause)
		}
		return nil
	}}
	o, err := drive(t.Context(), []connection{c}, 0, 11, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if least := slices.Min(o.latencies); least < pause-10*time.Millisecond {
		t.Errorf("a request took %v, want at least what was left of the pause", least)
	}
}

func TestDriveFails(t *testing.T) {
	broken := errors.New("broken")
	c := fake{func(n int) error {
		if n == 5 {
			return broken
		}
		return nil
	}}
	if _, err := drive(t.Context(), []connection{c, c}, 0, 10, 0); !errors.Is(err, broken) {
		t.Errorf("err = %v, want %v", err, broken)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := drive(ctx, []connection{fake{func(int) error { return nil }}}, 0, 10, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want %v", err, context.Canceled)
	}
}

func TestLatencyQuantile(t *testing.T) {
	var sorted []time.Duration
	for i := range 1000 {
		sorted = append(sorted, time.Duration(i+1))
	}
	for q, want := range map[float64]time.Duration{0.5: 501, 0.99: 991, 0.999: 1000, 1: 1000} {
		if got := latencyQuantile(sorted, q); got != want {
			t.Errorf("quantile(%v) = %v, want %v", q, got, want)
		}
	}
}

func TestHTTPConnection(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" && r.ContentLength == 4 {
			return
		}
		if r.URL.Path != "/good" {
			http.Error(w, "no", http.StatusTeapot)
		}
	}))
	defer s.Close()
	c, err := dialHTTP(strings.TrimPrefix(s.URL, "http://"), false, [][]byte{httpGet("/good"), httpPost("/any", "body"), httpGet("/bad")})()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for n := range 2 {
		if err := c.do(n); err != nil {
			t.Errorf("request %d: %v", n, err)
		}
	}
	if err := c.do(5); err == nil || !strings.Contains(err.Error(), "GET /bad HTTP/1.1: 418") {
		t.Errorf("err = %v, want one that names the request and the status", err)
	}
}
