//go:build unix

package hitrt

import (
	"errors"
	"os"
	"syscall"
)

// hasOwners says that files have owners that package os knows.
const hasOwners = true

// checkOwner returns an error unless a file or directory belongs to root or to the
// process's user, and nobody else may write to it.
func checkOwner(info os.FileInfo) error {
	if err := checkOwnerOnly(info); err != nil {
		return err
	}
	if info.Mode().Perm()&0o022 != 0 {
		return errors.New("others may write to it")
	}
	return nil
}

// checkOwnerOnly returns an error unless a file or directory belongs to root or to the
// process's user.
func checkOwnerOnly(info os.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return errors.New("belongs to another user")
	}
	return nil
}
