// What hitrt/api calls, the module that programs import to say where their hits go
// and when. The registry binds the functions of this file to it (wrapper/link/bindapi.go),
// so their types stay as they are: a program may have any version of that module.

package hitrt

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

const (
	// errNoMarks says that the registry has never called Register.
	errNoMarks = datafile.Error("scavenger: this program was not built with -toolexec=scavenger-wrap: nothing is recorded")
	errActive  = datafile.Error("scavenger: the settings in the binary or the environment have started it already")
	errInert   = datafile.Error("scavenger: " + inert + ": nothing is recorded")
	errEnded   = datafile.Error("scavenger: recording has ended")
)

// dormant is the program if its settings name neither a collector nor dataDir: Start
// may wake it.
var dormant atomic.Pointer[Program]

// Start begins to record in a program that has no settings of its own. Functions
// that were called before count too. settings has values by the names that they have
// in scavenger.toml; variables and a scavenger.conf come before it.
func Start(settings map[string]string) error {
	if registered.Load() != nil {
		return errActive
	}
	p := dormant.Load()
	if p == nil {
		return errNoMarks
	}
	configured := *p
	var problems []string
	configured.started, problems = startSettings(settings)
	s := loadSettings(&configured, variables())
	if !s.active() {
		return errInert
	}
	s.problems = append(s.problems, problems...)
	if !launch(&configured, s) {
		return errActive
	}
	return nil
}

// startSettings returns the values that are not empty, and a problem for each key that
// Start does not have, as a newer version of hitrt/api may.
func startSettings(settings map[string]string) (values map[string]string, problems []string) {
	values = map[string]string{}
	known := []string{"serverUrl", "apiKey", "dataDir", "appName", "appVersion", "environment", "hostname"}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		switch value := settings[key]; {
		case !slices.Contains(known, key):
			problems = append(problems, fmt.Sprintf("Start has a setting %s, which this version of scavenger-wrap does not know: it is ignored", clamp(key, 60)))
		case value != "":
			values[key] = value
		}
	}
	return values, problems
}

// Flush writes and sends what is pending, and waits until that is done or ctx is.
// If something could not be written or sent, it returns an error; that is still pending.
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
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-answer:
		return err
	case <-pub.done:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Shutdown is [Flush] at the end of a program: after it nothing is recorded. It
// returns when all is sent or ctx is done, and at the latest after exitTimeout. Its
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

// notStarted returns why nothing is recorded.
func notStarted() error {
	if dormant.Load() == nil {
		return errNoMarks
	}
	return errInert
}
