//go:build !nonetwork

// The connections of a client: they are counted, and never write to a descriptor that the
// program uses for something else by now.

package hitrt

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// conns holds a client's connections.
type conns struct {
	dials   atomic.Int64 // that are left in this call
	traffic atomic.Int64 // bytes that may still be read in this call

	mu   sync.Mutex
	open map[*conn]bool

	// taken holds those whose descriptors the program uses for something else by now.
	// If they became garbage, the runtime would close what has the number now.
	taken []*conn
}

const errTraffic = datafile.Error("the server sends more than any answer takes")

// A conn is one of them. If its descriptor belongs to something else by now, it
// neither writes to that nor closes it.
type conn struct {
	net.Conn
	of     *conns
	socket socket
}

func (s *conns) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if s.dials.Add(-1) < 0 {
		return nil, fmt.Errorf("%s has closed %d connections without an answer", address, maxDials)
	}
	// Without a Resolver it would ask net.DefaultResolver, which is the program's to replace.
	dialer := &net.Dialer{Timeout: 10 * time.Second, Resolver: &net.Resolver{}}
	nc, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: nc, of: s}
	if c.socket, err = newSocket(nc); err != nil {
		_ = nc.Close()
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[c] = true
	return c, nil
}

func (c *conn) Read(b []byte) (int, error) {
	if c.socket.isTaken() {
		return 0, net.ErrClosed
	}
	n, err := c.Conn.Read(b)
	if c.of.traffic.Add(-int64(n)) < 0 {
		return 0, errTraffic
	}
	return n, err
}

func (c *conn) Write(b []byte) (int, error) {
	if c.socket.isTaken() {
		return 0, net.ErrClosed
	}
	return c.socket.write(c.Conn, b)
}

func (c *conn) Close() error {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	return c.close()
}

// close closes the connection once. The caller holds of.mu.
func (c *conn) close() error {
	if !c.of.open[c] {
		return net.ErrClosed
	}
	delete(c.of.open, c)
	if c.socket.isTaken() {
		c.of.taken = append(c.of.taken, c)
		return c.Conn.SetDeadline(time.Unix(1, 0)) // ends a pending Read
	}
	return c.Conn.Close()
}

func (s *conns) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		_ = c.close()
	}
}
