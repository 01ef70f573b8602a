//go:build !unix && !nonetwork

package hitrt

import "net"

// A socket identifies a connection's socket. Here its handle is never reused.
type socket struct{}

func newSocket(net.Conn) (socket, error) { return socket{}, nil }

func (*socket) isTaken() bool { return false }
