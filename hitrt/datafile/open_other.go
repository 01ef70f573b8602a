//go:build !unix

package datafile

import "os"

// Open opens a regular file.
func Open(path string, flag int, perm os.FileMode) (*os.File, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	}
	return os.OpenFile(path, flag, perm)
}

// Names returns the names in a directory, in sorted order.
func Names(dir string) []string {
	var names []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// someNames returns nothing: there are no marks files on this system.
func someNames(string, int) []string { return nil }

// Owner returns the user that a file belongs to: -1, as this system does not say it by
// a number.
func Owner(os.FileInfo) int { return -1 }

// identify returns what tells a file from all others of this machine.
func identify(os.FileInfo) (device, inode uint64) { return 0, 0 }
