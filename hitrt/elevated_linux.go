// Programs with more rights than those who start them.

package hitrt

import (
	"bytes"
	"os"
	"strings"
	"unsafe"
)

// isElevated reports whether the program has more rights than who started it: by the
// setuid or setgid bit, by file capabilities, or by a rule of a security module.
//
// The system says so in the auxiliary vector. It hides that vector from a program that
// is not root but has capabilities; and from one whose file its user may run but not
// read, which has no more rights than others.
func isElevated() bool {
	if os.Getuid() != os.Geteuid() || os.Getgid() != os.Getegid() {
		return true
	}
	if vector, err := readProc("/proc/self/auxv"); err == nil {
		return isSecure(vector)
	} else if os.IsPermission(err) {
		return hasCapabilities()
	}
	return false // no /proc
}

// isSecure reports whether AT_SECURE is set in an auxiliary vector, which is pairs of
// words: a type and a value.
func isSecure(vector []byte) bool {
	const atSecure = 23
	const word = int(unsafe.Sizeof(uintptr(0)))
	at := func(i int) uint64 {
		return uint64(*(*uintptr)(unsafe.Pointer(&vector[i])))
	}
	for i := 0; i+2*word <= len(vector); i += 2 * word {
		if at(i) == atSecure {
			return at(i+word) != 0
		}
	}
	return false
}

// hasCapabilities reports whether the process has any capability.
func hasCapabilities() bool {
	status, err := readProc("/proc/self/status")
	if err != nil {
		return true // it hides that too
	}
	_, rest, _ := bytes.Cut(status, []byte("\nCapPrm:"))
	permitted, _, _ := strings.Cut(string(rest), "\n")
	return strings.Trim(permitted, " \t0") != ""
}

// readProc reads a small file of /proc, without the runtime's poller.
func readProc(path string) ([]byte, error) {
	file, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b := make([]byte, 4<<10)
	n, err := file.Read(b)
	return b[:n], err
}
