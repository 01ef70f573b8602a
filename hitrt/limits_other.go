//go:build !linux

package hitrt

// hasThreads reports that there is room for threads: nothing is known of a limit here.
func hasThreads() bool { return true }

// hasChildren is of use where mark arrays are mapped.
func hasChildren() bool { return false }
