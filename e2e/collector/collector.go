// Package collector is a Scavenger collector for tests. It runs inside the
// test's process, keeps its tables in memory and is as strict as the real one
// with its H2 database: the same validation and status codes, the same column
// limits, the same import after the answer, the same race in it, the same
// garbage rules and the same tree in the end.
//
// Where the real collector answers OK and quietly does something else, this
// one records it: see [Collector.Violations].
//
// Known differences. All settings are those of Options; there is no other
// configuration. Publications of one kind are imported in the order of their
// arrival, by one goroutine per kind, where the real one uses a pool of
// threads; [Collector.Hold] and [Collector.LoseFirstHits] bring about the
// other orders. An HTTP body between the message limit and five bytes above
// it is answered with the status that a gRPC client makes of the real HTTP
// 413 (UNKNOWN) instead of HTTP 413. A connection that began with gRPC serves
// only gRPC. The endpoints of older protocol versions, gRPC-Web, gRPC-JSON and
// the cache of license keys are left out. Two limits are
// MySQL's and not H2's: TEXT ends at 65,535 bytes and TIMESTAMP in 2038.
package collector

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// DemoKey is the api key of the demo workspace of a fresh Scavenger, and of a
// collector started without APIKeys.
const DemoKey = "4c94e0dd-ad04-4b17-9238-f46bba75c684"

// DefaultMaxMessageSize is the real collector's default limit.
const DefaultMaxMessageSize = 10 << 20

// Options says what the collector is like. The zero value is the real
// collector's default configuration on a port of its own.
type Options struct {
	// Addr is the address to listen on; default: a free port on 127.0.0.1.
	Addr string
	// TLS makes the port speak TLS with a certificate made at start,
	// see [Collector.Certificate].
	TLS bool
	// APIKeys has one api key per workspace; default: DemoKey.
	APIKeys []string
	// MaxMessageSize limits a gRPC message; default: DefaultMaxMessageSize.
	MaxMessageSize int
	// PollSeconds, PublishSeconds and RetrySeconds are the base intervals;
	// default: 120 each. See also [Collector.SetIntervals].
	PollSeconds, PublishSeconds, RetrySeconds int
	// NoJitter leaves out the random 0 to 9 s of the publish intervals.
	NoJitter bool
	// TestProfile is the real collector's Spring profile "test": intervals
	// don't grow with the age of the process, garbage is swept early.
	TestProfile bool
	// IdleTimeout closes connections without requests; default: 15 s.
	IdleTimeout time.Duration
	// CodebaseDelay and InvocationDelay pass between the answer to a
	// publication and the beginning of its import.
	CodebaseDelay, InvocationDelay time.Duration
	// InitConfig makes the body of the answer to initConfig from the host
	// that the request named; default: what the real collector answers.
	InitConfig func(host string) string
	// Now is the collector's clock; default: time.Now.
	Now func() time.Time
}

// A Collector is a running collector. All its methods may be called at any
// time, by several goroutines.
type Collector struct {
	options Options
	schema  *schema
	port    *port
	grpc    *grpc.Server
	http    *http.Server
	pem     []byte
	closed  chan struct{} // closed by Close
	once    sync.Once
	wg      sync.WaitGroup

	mu         sync.Mutex
	changed    chan struct{} // closed and replaced whenever anything below changes
	workspaces map[string]*workspace
	seconds    base
	cache      map[pair]cachedBase
	tables     *tables
	requests   []Request
	queues     map[Kind]*queue
	holds      map[Point]int // how many callers hold it
	held       map[Point]int // how many imports wait there
	faults     map[Kind]Fault
	faultCount int // how often SetFault was called
	rules      *rules
	errors     []ImportError
}

// A workspace is what an api key opens.
type workspace struct {
	disabled bool
}

// Start starts a collector.
func Start(o Options) (*Collector, error) {
	o.setDefaults()
	s, err := compileSchema()
	if err != nil {
		return nil, err
	}
	c := &Collector{
		options:    o,
		schema:     s,
		closed:     make(chan struct{}),
		changed:    make(chan struct{}),
		workspaces: make(map[string]*workspace),
		seconds:    base{o.PollSeconds, o.PublishSeconds, o.RetrySeconds},
		cache:      make(map[pair]cachedBase),
		tables:     newTables(),
		queues:     map[Kind]*queue{PollConfig: {}, Codebase: {}, Invocations: {}},
		holds:      make(map[Point]int),
		held:       make(map[Point]int),
		faults:     make(map[Kind]Fault),
		rules:      newRules(),
	}
	for _, key := range o.APIKeys {
		if err := columnAPIKey.check(key); err != nil || key == "" {
			return nil, fmt.Errorf("api key %q does not fit into its column", key)
		}
		c.workspaces[key] = &workspace{}
	}
	if err := c.open(); err != nil {
		return nil, err
	}
	for kind, q := range c.queues {
		c.wg.Add(1)
		go c.work(kind, q)
	}
	return c, nil
}

func (o *Options) setDefaults() {
	if len(o.APIKeys) == 0 {
		o.APIKeys = []string{DemoKey}
	}
	for _, number := range []struct {
		value    *int
		fallback int
	}{
		{&o.MaxMessageSize, DefaultMaxMessageSize},
		{&o.PollSeconds, defaultSeconds},
		{&o.PublishSeconds, defaultSeconds},
		{&o.RetrySeconds, defaultSeconds},
	} {
		if *number.value == 0 {
			*number.value = number.fallback
		}
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = 15 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// open opens the port and starts the two servers behind it.
func (c *Collector) open() error {
	l, err := listen(c.options.Addr)
	if err != nil {
		return err
	}
	c.port = &port{
		addr:   l.Addr().String(),
		idle:   c.options.IdleTimeout,
		native: newConnQueue(l.Addr()),
		plain:  newConnQueue(l.Addr()),
		conns:  make(map[net.Conn]bool),
	}
	if c.options.TLS {
		host, _, err := net.SplitHostPort(c.port.addr)
		if err != nil {
			return err
		}
		cert, pem, err := selfSigned(host)
		if err != nil {
			l.Close()
			return err
		}
		c.pem = pem
		c.port.tls = &tls.Config{
			Certificates: []tls.Certificate{cert},
			NextProtos:   []string{"h2", "http/1.1"},
			MinVersion:   tls.VersionTLS12,
		}
	}
	c.grpc = c.newGRPC()
	c.http = c.newHTTP()
	c.wg.Add(2)
	go func() {
		defer c.wg.Done()
		_ = c.grpc.Serve(c.port.native) // returns when Close closes the queue
	}()
	go func() {
		defer c.wg.Done()
		_ = c.http.Serve(c.port.plain) // the same
	}()
	c.port.start(l)
	return nil
}

// URL returns the server URL for a publisher's settings.
func (c *Collector) URL() string {
	if c.options.TLS {
		return "https://" + c.port.addr
	}
	return "http://" + c.port.addr
}

// Addr returns the address that the collector listens on, as host:port.
func (c *Collector) Addr() string { return c.port.addr }

// Certificate returns, in PEM form, the certificate that a client has to
// trust; nil without TLS.
func (c *Collector) Certificate() []byte { return c.pem }

// Close ends the collector. Publications that were accepted but not yet
// imported are lost. The tables, the log and the lists stay readable.
func (c *Collector) Close() {
	c.once.Do(func() {
		close(c.closed)
		c.port.native.Close()
		c.port.plain.Close()
		c.port.close()
		c.grpc.Stop()
		c.http.Close()
	})
	c.wg.Wait()
}

// now reads the collector's clock.
func (c *Collector) now() time.Time { return c.options.Now() }

// notify wakes everything that waits for a change. The caller holds c.mu.
func (c *Collector) notify() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// AddWorkspace makes an api key known.
func (c *Collector) AddWorkspace(apiKey string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.workspaces[apiKey] == nil {
		c.workspaces[apiKey] = &workspace{}
	}
}

// RemoveWorkspace makes an api key unknown, with immediate effect, where the
// real collector may know it for another day. Its rows stay.
func (c *Collector) RemoveWorkspace(apiKey string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.workspaces, apiKey)
}

// DisableWorkspace has the operator disable the workspace of an api key, or
// enable it again. It reports whether there is such a workspace.
func (c *Collector) DisableWorkspace(apiKey string, disabled bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.workspaces[apiKey]
	if w != nil {
		w.disabled = disabled
	}
	return w != nil
}
