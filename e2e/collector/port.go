// One port for everything, as the real collector has it: HTTP/1.1, HTTP/2 and
// gRPC, in plaintext or over TLS.
//
// gRPC is served by grpc-go's own transport, plain requests by net/http. Both
// want the whole connection, so the first request decides: a connection that
// does not begin with the HTTP/2 preface is HTTP/1.1; one that does is read up
// to its first header block. Clients may wait for the server's SETTINGS
// before they send that (grpc-go does), so an empty SETTINGS frame goes out
// first. What was read is then replayed to the chosen server, which sends its
// own SETTINGS. Its client now acknowledges two, of which net/http would take
// the surplus one for an error: the first acknowledgement is taken out.

package collector

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// A port accepts connections and hands them to one of two servers.
type port struct {
	addr   string
	tls    *tls.Config   // nil: plaintext
	idle   time.Duration // how long a connection may take to its first request
	native *connQueue    // to grpc-go
	plain  *connQueue    // to net/http

	mu       sync.Mutex
	listener net.Listener // nil while connections are refused
	closed   bool         // for good
	conns    map[net.Conn]bool
	wg       sync.WaitGroup
}

// listen opens addr. Without one it takes a port below the range from which
// the system serves outgoing connections and port 0, so that no other process
// gets it while [Refuse] has it closed.
func listen(addr string) (net.Listener, error) {
	if addr != "" {
		return net.Listen("tcp", addr)
	}
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000)))
		if err == nil {
			return l, nil
		}
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

// accept serves l until it is closed.
func (p *port) accept(l net.Listener) {
	defer p.wg.Done()
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // out of descriptors, or a reset before accept
			continue
		}
		t := &trackedConn{Conn: conn, port: p}
		if !p.track(t, l) {
			conn.Close()
			continue
		}
		go func() {
			defer p.wg.Done()
			if err := p.route(t); err != nil {
				t.Close()
			}
		}()
	}
}

// track notes an open connection, unless l was closed in the meantime.
func (p *port) track(t *trackedConn, l net.Listener) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != l {
		return false
	}
	p.conns[t] = true
	p.wg.Add(1)
	return true
}

// route reads the beginning of a connection and passes it on.
func (p *port) route(t *trackedConn) error {
	if err := t.SetDeadline(time.Now().Add(p.idle)); err != nil {
		return err
	}
	var conn net.Conn = t
	if p.tls != nil {
		secure := tls.Server(t, p.tls)
		if err := secure.Handshake(); err != nil {
			return fmt.Errorf("tls handshake: %w", err)
		}
		conn = secure
	}
	r := bufio.NewReader(conn)
	start, err := r.Peek(4) // the shortest that every HTTP/1 request has, too
	if err != nil {
		return err
	}
	queue, replay := p.plain, io.Reader(r)
	if string(start) == http2.ClientPreface[:4] {
		filter := &ackFilter{r: r, pass: len(http2.ClientPreface)}
		var seen bytes.Buffer
		path, contentType, err := firstHeaders(conn, io.TeeReader(filter, &seen))
		if err != nil {
			return err
		}
		replay = io.MultiReader(&seen, filter)
		if kindOfPath(path) != Other && isGRPC(contentType) {
			queue = p.native
		}
	}
	if err := t.SetDeadline(time.Time{}); err != nil {
		return err
	}
	return queue.put(&replayConn{Conn: conn, r: replay})
}

// firstHeaders plays the server until the first header block arrived.
func firstHeaders(w io.Writer, r io.Reader) (path, contentType string, err error) {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(r, preface); err != nil {
		return "", "", err
	}
	if string(preface) != http2.ClientPreface {
		return "", "", errors.New("wrong HTTP/2 preface")
	}
	framer := http2.NewFramer(w, r)
	framer.SetMaxReadFrameSize(16384)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := framer.WriteSettings(); err != nil {
		return "", "", err
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return "", "", err
		}
		if headers, ok := frame.(*http2.MetaHeadersFrame); ok {
			for _, f := range headers.RegularFields() {
				if f.Name == "content-type" {
					contentType = f.Value
				}
			}
			return headers.PseudoValue("path"), contentType, nil
		}
	}
}

// isGRPC reports whether a content type is gRPC proper, which gRPC-Web is not.
func isGRPC(contentType string) bool {
	rest, ok := strings.CutPrefix(strings.ToLower(contentType), "application/grpc")
	return ok && (rest == "" || rest[0] == '+' || rest[0] == ';')
}

// refuse closes the port and every connection: clients get ECONNREFUSED.
func (p *port) refuse() {
	p.mu.Lock()
	l := p.listener
	p.listener = nil
	var open []net.Conn
	for conn := range p.conns {
		open = append(open, conn)
	}
	p.mu.Unlock()
	if l != nil {
		l.Close()
	}
	for _, conn := range open {
		conn.Close()
	}
}

// close refuses all connections from now on.
func (p *port) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.refuse()
	p.wg.Wait()
}

// resume opens the port again.
func (p *port) resume() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil || p.closed {
		return nil
	}
	l, err := net.Listen("tcp", p.addr)
	for try := 0; err != nil && try < 40; try++ {
		time.Sleep(50 * time.Millisecond)
		l, err = net.Listen("tcp", p.addr)
	}
	if err != nil {
		return fmt.Errorf("opening the port again: %w", err)
	}
	p.start(l)
	return nil
}

// start accepts from l. The caller holds p.mu or is alone.
func (p *port) start(l net.Listener) {
	p.listener = l
	p.wg.Add(1)
	go p.accept(l)
}

// A trackedConn leaves its port's list when it is closed.
type trackedConn struct {
	net.Conn
	port *port
}

func (t *trackedConn) Close() error {
	t.port.mu.Lock()
	delete(t.port.conns, t)
	t.port.mu.Unlock()
	return t.Conn.Close()
}

// A replayConn reads from r what was already read from the connection, and
// the rest.
type replayConn struct {
	net.Conn
	r io.Reader
}

func (c *replayConn) Read(b []byte) (int, error) { return c.r.Read(b) }

// An ackFilter leaves the first acknowledgement of SETTINGS out of a stream
// of HTTP/2 frames.
type ackFilter struct {
	r    *bufio.Reader
	pass int // bytes to pass on before the next frame begins
	done bool
}

func (f *ackFilter) Read(b []byte) (int, error) {
	if f.done {
		return f.r.Read(b)
	}
	if f.pass == 0 {
		head, err := f.r.Peek(9)
		if err != nil {
			return 0, err
		}
		length := int(head[0])<<16 | int(head[1])<<8 | int(head[2])
		if http2.FrameType(head[3]) == http2.FrameSettings && http2.Flags(head[4]).Has(http2.FlagSettingsAck) {
			f.done = true
			if _, err := f.r.Discard(9 + length); err != nil {
				return 0, err
			}
			return f.r.Read(b)
		}
		f.pass = 9 + length
	}
	n, err := f.r.Read(b[:min(len(b), f.pass)])
	f.pass -= n
	return n, err
}

// A connQueue is the listener of one of the two servers.
type connQueue struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newConnQueue(addr net.Addr) *connQueue {
	return &connQueue{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
}

func (q *connQueue) put(conn net.Conn) error {
	select {
	case q.conns <- conn:
		return nil
	case <-q.done:
		return net.ErrClosed
	}
}

// Accept implements [net.Listener].
func (q *connQueue) Accept() (net.Conn, error) {
	select {
	case conn := <-q.conns:
		return conn, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (q *connQueue) Close() error {
	q.once.Do(func() { close(q.done) })
	return nil
}

// Addr implements [net.Listener].
func (q *connQueue) Addr() net.Addr { return q.addr }
