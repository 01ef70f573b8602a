//go:build unix && !nonetwork

package hitrt

import (
	"net"
	"syscall"
)

// A socket identifies the file that a connection's descriptor was opened for.
type socket struct {
	raw syscall.RawConn
	st  syscall.Stat_t
}

func newSocket(c net.Conn) (s socket, err error) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return s, nil
	}
	if s.raw, err = sc.SyscallConn(); err != nil {
		return s, err
	}
	if controlErr := s.raw.Control(func(fd uintptr) { err = syscall.Fstat(int(fd), &s.st) }); controlErr != nil {
		return s, controlErr
	}
	return s, err
}

// isTaken reports whether the descriptor is closed or another file by now.
func (s *socket) isTaken() (taken bool) {
	if s.raw == nil {
		return false
	}
	err := s.raw.Control(func(fd uintptr) {
		var st syscall.Stat_t
		taken = syscall.Fstat(int(fd), &st) != nil || st.Dev != s.st.Dev || st.Ino != s.st.Ino
	})
	return err == nil && taken
}
