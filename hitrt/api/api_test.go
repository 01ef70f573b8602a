package api

import (
	"context"
	"errors"
	"maps"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/api/internal/binding"
)

// Without a binding only the first call says so, whichever it is.
func TestUnbound(t *testing.T) {
	ctx := context.Background()
	for name, call := range map[string]func() error{
		"Start":    func() error { return Start(Config{DataDir: t.TempDir()}) },
		"Flush":    func() error { return Flush(ctx) },
		"Shutdown": func() error { return Shutdown(ctx) },
	} {
		warned.Store(false)
		if err := call(); !errors.Is(err, errUnbound) {
			t.Errorf("%s, first call: %v, want %v", name, err, errUnbound)
		}
		if err := call(); err != nil {
			t.Errorf("%s, second call: %v, want nothing", name, err)
		}
	}
}

// Each function calls the one that it is bound to, with all that it was given, and
// returns what that returns.
func TestBound(t *testing.T) {
	errStart, errFlush, errShutdown := errors.New("start"), errors.New("flush"), errors.New("shutdown")
	type key struct{}
	ctx := context.WithValue(context.Background(), key{}, true)
	var settings map[string]string
	same := func(err error) func(context.Context) error {
		return func(got context.Context) error {
			if got != ctx {
				t.Errorf("%v: another context", err)
			}
			return err
		}
	}
	binding.Bind(func(s map[string]string) error { settings = s; return errStart }, same(errFlush), same(errShutdown))
	defer binding.Bound.Store(nil)

	err := Start(Config{ServerURL: "url", APIKey: "key", DataDir: "dir", AppName: "name", AppVersion: "version", Environment: "env", Hostname: "host"})
	if !errors.Is(err, errStart) {
		t.Errorf("Start = %v", err)
	}
	want := map[string]string{"serverUrl": "url", "apiKey": "key", "dataDir": "dir", "appName": "name", "appVersion": "version", "environment": "env", "hostname": "host"}
	if !maps.Equal(settings, want) {
		t.Errorf("settings %v, want %v", settings, want)
	}
	if err := Start(Config{DataDir: "dir"}); !errors.Is(err, errStart) || !maps.Equal(settings, map[string]string{"dataDir": "dir"}) {
		t.Errorf("Start with one field: %v, settings %v", err, settings)
	}
	if err := Flush(ctx); !errors.Is(err, errFlush) {
		t.Errorf("Flush = %v", err)
	}
	if err := Shutdown(ctx); !errors.Is(err, errShutdown) {
		t.Errorf("Shutdown = %v", err)
	}
}
