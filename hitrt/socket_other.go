//go:build !unix

package hitrt

import "net"

// A socket is that of a connection. Handles are nobody's to take here.
type socket struct{}

func newSocket(net.Conn) (socket, error) { return socket{}, nil }

func (*socket) isTaken() bool { return false }
