package hitrt

// For programs that want to say themselves where hits go. Most need none of it:
// settings and variables do.

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
)

// A Config is the settings of a program in its own words. Variables that begin
// with SCAVENGER_ and a scavenger.conf come before it, and what is empty is as if it
// were not there.
type Config struct {
	ServerURL   string // of the collector
	APIKey      string
	DataDir     string // for local files
	AppName     string
	AppVersion  string
	Environment string
	Hostname    string
}

var (
	// errNoMarks: the registry has never called Register.
	errNoMarks = errors.New("scavenger: this program was not built with -toolexec=scavenger-wrap: nothing is recorded")
	errActive  = errors.New("scavenger: the settings in the binary or the environment have started it already")
	errInert   = errors.New("scavenger: neither serverUrl and apiKey nor dataDir are set: nothing is recorded")
)

// dormant is the program whose settings say nothing.
var dormant atomic.Pointer[Program]

// unmarked is set once it was said that there are no marks.
var unmarked atomic.Bool

// noMarks returns an error for the first time.
func noMarks() error {
	if unmarked.Swap(true) {
		return nil
	}
	return errNoMarks
}

// Start begins to record in a program that has no settings of its own. What was
// called before counts too. Such a program should call [Shutdown] at its end.
// In a program without marks the first call of Start, Flush or Shutdown says so,
// and the others do nothing.
func Start(cfg Config) error {
	if registered.Load() != nil {
		return errActive
	}
	p := dormant.Load()
	if p == nil {
		return noMarks()
	}
	set := map[string]string{}
	if p.Settings != "" {
		_ = json.Unmarshal([]byte(p.Settings), &set) // Register has said what is wrong
	}
	for key, value := range map[string]string{
		"serverUrl": cfg.ServerURL, "apiKey": cfg.APIKey, "dataDir": cfg.DataDir, "appName": cfg.AppName,
		"appVersion": cfg.AppVersion, "environment": cfg.Environment, "hostname": cfg.Hostname,
	} {
		if value != "" {
			set[key] = value
		}
	}
	text, err := json.Marshal(set)
	if err != nil {
		return err
	}
	configured := *p
	configured.Settings = string(text)
	s := loadSettings(&configured, variables())
	if !s.active() {
		return errInert
	}
	if !launch(&configured, s) {
		return errActive
	}
	return nil
}

// Flush writes and sends what is pending, and waits for it until ctx is done.
// An error says what could not be sent; it is still pending.
func Flush(ctx context.Context) error {
	pub := registered.Load()
	if pub == nil {
		return notStarted()
	}
	answer := make(chan error, 1)
	select {
	case pub.flushes <- answer:
		pub.wake.ring()
	case <-pub.done:
		return errors.New("scavenger: recording has ended")
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-answer:
		return err
	case <-pub.done:
		return errors.New("scavenger: recording has ended")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Shutdown is [Flush] at the end of a program: after it nothing is recorded. It
// returns when all was sent or ctx is done, and at the latest after exitTimeout. Its
// only errors are that of ctx and that nothing was ever recorded.
func Shutdown(ctx context.Context) error {
	pub := registered.Load()
	if pub == nil {
		return notStarted()
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		Exit()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func notStarted() error {
	if dormant.Load() == nil {
		return noMarks()
	}
	return errInert
}
