//go:build unix && !linux

package hitrt

// takesLine is for Linux: elsewhere a line may wait for standard error.
func takesLine(int) bool { return true }
