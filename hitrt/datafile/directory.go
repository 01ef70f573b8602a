// The ID of a directory, in ".directory.id": sixteen hexadecimal digits, chosen at random
// when the first hits file is made.
//
// It is part of the names of hits files. People collect the files of several machines or
// services in one directory; without it, the files of processes that are alike but for
// their dataDir would have one name, and one would replace the other.

package datafile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

const directoryFile = ".directory.id"

// directoryID returns the ID of a directory, "" if it has none that can be read.
func directoryID(dir string) string {
	file, err := Open(filepath.Join(dir, directoryFile), os.O_RDONLY, 0)
	if err != nil {
		return ""
	}
	defer file.Close()
	var b [17]byte
	if n, _ := file.ReadAt(b[:], 0); n != len(b) || b[16] != '\n' {
		return ""
	}
	for _, c := range b[:16] {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ""
		}
	}
	return string(b[:16])
}

// Directory returns the ID of the directory, and gives it one first if it has none. It
// returns "" if that is impossible.
func (s *Store) Directory() string {
	if s.Path(); s.directory == "" && !s.unnamed {
		s.makeDirectoryID()
	}
	return s.directory
}

// makeDirectoryID gives a directory an ID, unless it has one. Everybody may read it, as
// users who share a directory share it. Where that is impossible files are named without.
func (s *Store) makeDirectoryID() {
	path := filepath.Join(s.Dir, directoryFile)
	id := fmt.Sprintf("%016x\n", rand.Uint64())
	temp := path + "." + id[:16] + tempSuffix
	file, err := Open(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return
	}
	defer os.Remove(temp)
	_, err = file.WriteAt([]byte(id), 0)
	if chmodErr := file.Chmod(0o644); err == nil {
		err = chmodErr
	}
	s.own(file)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Link(temp, path)
	}
	if err == nil || errors.Is(err, fs.ErrExist) {
		s.directory = directoryID(s.Dir)
	}
	s.unnamed = s.directory == ""
}
