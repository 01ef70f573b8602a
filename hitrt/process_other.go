//go:build !linux

package hitrt

// hasThreads reports that there is room for threads: nothing is known of a limit here.
func hasThreads() bool { return true }

// hasChildren reports nothing: it matters where mark arrays are mapped, which they are not here.
func hasChildren() bool { return false }
