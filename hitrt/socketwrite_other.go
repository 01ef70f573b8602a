//go:build !linux && !nonetwork

package hitrt

import "net"

// write writes to a connection.
func (*socket) write(c net.Conn, b []byte) (int, error) { return c.Write(b) }
