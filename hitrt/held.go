package hitrt

// Files that belong to this process as long as it lives, without a descriptor.
//
// Descriptors are the program's: it may close every number, and open files of its
// own under it. One that we kept would be closed, or be another file by the time
// that we write to it. So a file is opened by its name for each use, and is used
// only if it is still the same. What has to last is the lock, and a mapping of the
// file keeps it.

import (
	"errors"
	"os"
)

// A heldFile is such a file.
type heldFile struct {
	path string
	info os.FileInfo // which file it is
	lock keptLock
}

// errReplaced: the name is another file's by now.
var errReplaced = errors.New("the file was replaced")

// hold keeps the lock on a file, if it is locked, and closes it.
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

// release gives the lock back.
func (h *heldFile) release() {
	h.lock.release(h.info)
	h.lock = keptLock{}
}

// isFile reports whether a file is the one that info is of.
func isFile(file *os.File, info os.FileInfo) bool {
	own, err := file.Stat()
	return err == nil && os.SameFile(own, info)
}
