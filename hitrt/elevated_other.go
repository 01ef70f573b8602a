//go:build !linux

package hitrt

import "os"

// isElevated reports whether the program has more rights than who started it, by the
// setuid or setgid bit.
func isElevated() bool {
	return os.Getuid() != os.Geteuid() || os.Getgid() != os.Getegid()
}
