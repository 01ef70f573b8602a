// Package binding connects the API to hitrt, which scavenger-wrap links into the
// programs that it builds.
//
// The API is a module of the program, in whatever version that has chosen; hitrt
// comes from the scavenger-wrap that builds the program. The two meet in a file that
// scavenger-wrap generates and that calls Bind. So what Bind takes stays as it is:
// a new function of the API gets a Bind of its own. If they do not fit all the same,
// the file does not compile, and the program is built without it.
package binding

import (
	"context"
	"sync/atomic"
)

// Functions are those of hitrt that the API calls.
type Functions struct {
	Start    func(settings map[string]string) error // by the names that they have in scavenger.toml
	Flush    func(context.Context) error
	Shutdown func(context.Context) error
}

// Bound holds the functions that Bind was called with, nil before that.
var Bound atomic.Pointer[Functions]

// Bind has the API call these functions.
func Bind(start func(settings map[string]string) error, flush, shutdown func(context.Context) error) {
	Bound.Store(&Functions{Start: start, Flush: flush, Shutdown: shutdown})
}
