// The log of requests, and waiting for something to happen.

package collector

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
)

// A Kind is what a request asks for.
type Kind string

// The kinds of requests.
const (
	InitConfig  Kind = "initConfig"
	PollConfig  Kind = "pollConfig"
	Codebase    Kind = "codebase"
	Invocations Kind = "invocations"
	Other       Kind = "other" // nothing that a publisher has any business asking for
)

// kinds lists all kinds, in the order in which a publisher uses them.
func kinds() []Kind { return []Kind{InitConfig, PollConfig, Codebase, Invocations, Other} }

// kindOfPath returns the kind of gRPC call that a path names, otherwise Other.
func kindOfPath(path string) Kind {
	switch path {
	case "/GrpcAgentService/PollConfig":
		return PollConfig
	case "/GrpcAgentService/SendCodeBasePublication":
		return Codebase
	case "/GrpcAgentService/SendInvocationDataPublication":
		return Invocations
	}
	return Other
}

// A Request is one request as it arrived, and what it was answered.
type Request struct {
	Number  int // from 1, in order of arrival
	Kind    Kind
	Arrived time.Time // by the collector's clock
	Remote  string    // address of the client
	Path    string
	Host    string // as the client named it
	Header  http.Header
	Timeout time.Duration // from grpc-timeout; 0: none
	Size    int           // bytes of the message, uncompressed and without its prefix
	Query   string        // raw query of a plain request

	// Decoded messages; nil for other kinds and for damaged messages.
	Poll        *PollRequest
	Codebase    *CodebasePublication
	Invocations *InvocationPublication

	Answered bool
	Code     codes.Code // answer to a gRPC call
	Status   int        // answer to a plain request
}

// common returns the common part of a publication, if there is one.
func (r *Request) common() *Common {
	switch {
	case r.Codebase != nil:
		return r.Codebase.Common
	case r.Invocations != nil:
		return r.Invocations.Common
	}
	return nil
}

// OK reports whether the request was answered with success.
func (r *Request) OK() bool {
	if r.Status != 0 {
		return r.Answered && r.Status == http.StatusOK
	}
	return r.Answered && r.Code == codes.OK
}

// log adds a request and returns its number.
func (c *Collector) log(r Request) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Number = len(c.requests) + 1
	r.Arrived = c.now()
	c.requests = append(c.requests, r)
	c.notify()
	return r.Number
}

// logAnswer completes a logged request just before its answer is sent.
func (c *Collector) logAnswer(number int, code codes.Code, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &c.requests[number-1]
	r.Answered, r.Code, r.Status = true, code, status
	c.notify()
}

// Requests returns the log: the requests of the given kinds, or all of them.
func (c *Collector) Requests(of ...Kind) []Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(of) == 0 {
		return slices.Clone(c.requests)
	}
	var list []Request
	for _, r := range c.requests {
		if slices.Contains(of, r.Kind) {
			list = append(list, r)
		}
	}
	return list
}

// RequestsAfter returns the requests that arrived after the one of a number.
func (c *Collector) RequestsAfter(number int) []Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.requests[number:])
}

// Count returns how many requests of a kind were answered with success.
func (c *Collector) Count(kind Kind) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for i := range c.requests {
		if r := &c.requests[i]; r.Kind == kind && r.OK() {
			n++
		}
	}
	return n
}

// WaitFor waits until condition holds. It is called again after every change:
// a request, an answer, an import, a fault. It may call all methods of c. The
// error names what has happened so far.
func (c *Collector) WaitFor(ctx context.Context, condition func() bool) error {
	for {
		c.mu.Lock()
		changed := c.changed
		c.mu.Unlock()
		if condition() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%w; %s", context.Cause(ctx), c.Summary())
		case <-c.closed:
			return fmt.Errorf("collector closed; %s", c.Summary())
		}
	}
}

// WaitRequests waits until n requests of a kind were answered with success.
func (c *Collector) WaitRequests(ctx context.Context, kind Kind, n int) error {
	return c.WaitFor(ctx, func() bool { return c.Count(kind) >= n })
}

// WaitImported waits until everything that was accepted is imported.
func (c *Collector) WaitImported(ctx context.Context) error {
	return c.WaitFor(ctx, func() bool { return c.Pending() == 0 })
}

// Summary returns one line that says what has happened so far.
func (c *Collector) Summary() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var parts []string
	for _, kind := range kinds() {
		n, failed := 0, 0
		for i := range c.requests {
			if r := &c.requests[i]; r.Kind == kind {
				n++
				if !r.OK() {
					failed++
				}
			}
		}
		switch {
		case failed > 0:
			parts = append(parts, fmt.Sprintf("%d %s (%d not OK)", n, kind, failed))
		case n > 0:
			parts = append(parts, fmt.Sprintf("%d %s", n, kind))
		}
	}
	if len(parts) == 0 {
		parts = []string{"no requests"}
	}
	return fmt.Sprintf("seen: %s; %d imports pending, %d failed",
		strings.Join(parts, ", "), c.pending(), len(c.errors))
}
