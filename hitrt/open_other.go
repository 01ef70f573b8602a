//go:build !unix

package hitrt

import "os"

// openFile does what [os.OpenFile] does.
func openFile(path string, flag int, perm os.FileMode) (*os.File, error) {
	return os.OpenFile(path, flag, perm)
}
