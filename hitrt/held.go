// Files that this process holds as long as it lives, without a descriptor.
//
// Descriptors belong to the program: it may close any number, and open a file of its
// own that gets it. A descriptor that we kept might be closed, or another file, by the
// time that we write to it. So a file is opened by its name for each use, and used only
// if it is still the same file. Only the lock has to last, and a mapping of the file
// keeps it.

package hitrt

import (
	"errors"
	"os"
)

// A heldFile is a file that this process holds.
type heldFile struct {
	path string
	info os.FileInfo // identifies the file
	lock keptLock
}

// errReplaced says that the name belongs to another file by now.
var errReplaced = errors.New("the file was replaced")

// hold closes a file and, if it is locked, keeps the lock.
func hold(file *os.File, path string, locked bool) (*heldFile, error) {
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	h := &heldFile{path: path, info: info}
	if locked {
		h.lock = keepLock(file, path, info)
		return h, nil
	}
	return h, file.Close()
}

// open opens the file by its name.
func (h *heldFile) open(flag int) (*os.File, error) {
	file, err := openFile(h.path, flag, 0)
	if err != nil {
		return nil, err
	}
	if !isFile(file, h.info) {
		_ = file.Close()
		return nil, &os.PathError{Op: "open", Path: h.path, Err: errReplaced}
	}
	return file, nil
}

// release releases the lock.
func (h *heldFile) release() {
	h.lock.release(h.info)
	h.lock = keptLock{}
}

// isFile reports whether info describes file.
func isFile(file *os.File, info os.FileInfo) bool {
	own, err := file.Stat()
	return err == nil && os.SameFile(own, info)
}
