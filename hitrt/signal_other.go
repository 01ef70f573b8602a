//go:build !unix

package hitrt

// takeSignals does nothing: there are no such signals. What ends a console program on
// Windows comes in a thread of its own, and the system waits for nobody.
func (*publisher) takeSignals() {}
