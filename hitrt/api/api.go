// Package api is for programs that know only when they run where their hits go, or
// that want them sent at a certain moment. Most programs need none of it: settings
// and variables do.
//
// The package does nothing by itself. The build with -toolexec=scavenger-wrap binds
// it to what it links into the program. In a program that was built otherwise the
// first call of any function here returns an error that says so, and all others
// return nil: such a program runs as it would without.
//
// Call these functions from main or later: they are bound just before main starts,
// after the packages that it imports have been initialised.
package api

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/api/internal/binding"
)

// A Config has the settings of a program in its own words. Variables that begin
// with SCAVENGER_ and a scavenger.conf come before it. An empty field is not set.
type Config struct {
	ServerURL   string // of the collector
	APIKey      string
	DataDir     string // for local files
	AppName     string
	AppVersion  string
	Environment string
	Hostname    string
}

// Start begins to record in a program that has no settings of its own. Functions
// that were called before count too. Such a program should call [Shutdown] at its
// end. In a program that its settings have started already, Start returns an error
// and changes nothing.
func Start(cfg Config) error {
	f := binding.Bound.Load()
	if f == nil {
		return unbound()
	}
	return f.Start(cfg.settings())
}

// settings returns the fields that are set, by their names in scavenger.toml.
func (cfg *Config) settings() map[string]string {
	settings := map[string]string{}
	for key, value := range map[string]string{
		"serverUrl": cfg.ServerURL, "apiKey": cfg.APIKey, "dataDir": cfg.DataDir, "appName": cfg.AppName,
		"appVersion": cfg.AppVersion, "environment": cfg.Environment, "hostname": cfg.Hostname,
	} {
		if value != "" {
			settings[key] = value
		}
	}
	return settings
}

// Flush writes and sends what is pending, and waits until that is done or ctx is.
// If something could not be written or sent, it returns an error; that is still pending.
func Flush(ctx context.Context) error {
	f := binding.Bound.Load()
	if f == nil {
		return unbound()
	}
	return f.Flush(ctx)
}

// Shutdown is [Flush] at the end of a program: after it nothing is recorded. It
// returns when all is sent or ctx is done, and at the latest after exitTimeout. It
// returns no error for what could not be sent: call Flush before it to know.
func Shutdown(ctx context.Context) error {
	f := binding.Bound.Load()
	if f == nil {
		return unbound()
	}
	return f.Shutdown(ctx)
}

var errUnbound = errors.New("scavenger: this program was not built with -toolexec=scavenger-wrap, or with a version of it that this API does not fit: the call does nothing")

// warned is set once a call has returned errUnbound.
var warned atomic.Bool

// unbound returns errUnbound the first time, and nil from then on.
func unbound() error {
	if warned.Swap(true) {
		return nil
	}
	return errUnbound
}
