//go:build !nonetwork

package hitrt

import (
	"net"
	"syscall"
)

// write writes to a connection. Where the other end is gone, write(2) sends SIGPIPE as well,
// and a program that has asked for all signals takes it for one of its own.
func (s *socket) write(c net.Conn, b []byte) (written int, err error) {
	if s.raw == nil {
		return c.Write(b)
	}
	for written < len(b) && err == nil {
		n, errno := 0, error(nil)
		err = s.raw.Write(func(fd uintptr) bool {
			n, errno = syscall.SendmsgN(int(fd), b[written:], nil, nil, syscall.MSG_NOSIGNAL)
			return errno != syscall.EAGAIN
		})
		switch {
		case err != nil || errno == syscall.EINTR:
		case errno != nil:
			err = errno
		default:
			written += n
		}
	}
	return written, err
}
