//go:build !nonetwork

// Calls to the collector: one HTTP request that asks where it listens for gRPC, and
// unary gRPC over net/http. Nothing else opens a connection.
//
// The transports are this package's own. They use no proxy: gRPC without TLS cannot go
// through one, and an initConfig that does would only hide why nothing arrives; and
// http.ProxyFromEnvironment keeps what it finds at its first call, for the whole
// program. They follow no redirects, which would carry the api key elsewhere. Answers
// are read up to maxAnswer, and what a call may cost besides has limits too.

package hitrt

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	maxAnswer = 64 << 10

	// maxDials is the number of connections that one call may make. One more than the
	// first is normal, if the server closes an idle connection just then. net/http has no
	// limit: it tries again, without a pause, as often as the server says that it has not
	// looked at the request.
	maxDials = 3

	// maxTraffic is what a server may send during one call, over and above an
	// acknowledgement (13 bytes) for each kilobyte of the request: certificates, headers,
	// the answer. net/http takes frames without content as fast as they come.
	maxTraffic = 1 << 20

	service              = "/GrpcAgentService/"
	methodPoll           = "PollConfig"
	methodCodebase       = "SendCodeBasePublication"
	methodInvocations    = "SendInvocationDataPublication"
	codeUnauthenticated  = 16
	codeResourceExceeded = 8

	// withoutHTTP2 names the reasons why net/http may lack HTTP/2, which gRPC needs.
	withoutHTTP2 = "GODEBUG=http2client=0 and the build tag nethttpomithttp2 take HTTP/2 from a program"
)

// A client calls one collector. It belongs to the publisher's goroutine; its
// calls run in others, but never two at a time.
type client struct {
	serverURL string
	apiKey    string
	grpcTLS   string

	conns   *conns            // of the three below
	web     http.RoundTripper // for initConfig
	plain   http.RoundTripper // for gRPC over h2c
	secured http.RoundTripper // for gRPC over TLS
}

// newClient returns a client. Tests give it a network; nil means the real one.
func newClient(set *settings, s sending) *client {
	c := &client{serverURL: set.serverURL, apiKey: set.apiKey, grpcTLS: set.grpcTLS}
	if s.network != nil {
		c.web, c.plain, c.secured = s.network, s.network, s.network
		return c
	}
	c.conns = &conns{open: map[*conn]bool{}}
	plain := newTransport((*http.Protocols).SetUnencryptedHTTP2, c.conns, nil)
	secured := newTransport((*http.Protocols).SetHTTP2, c.conns, s.random)
	// After a call without an answer net/http sends a PING on a connection that it would use
	// again. What is in it comes from [crypto/rand.Reader], which belongs to the program, and which
	// ends the program if it fails. So each call has its own connection there.
	plain.DisableKeepAlives, secured.DisableKeepAlives = s.random != nil, s.random != nil
	c.web, c.plain, c.secured = newTransport((*http.Protocols).SetHTTP1, c.conns, s.random), plain, secured
	return c
}

func newTransport(enable func(*http.Protocols, bool), conns *conns, random io.Reader) *http.Transport {
	protocols := new(http.Protocols)
	enable(protocols, true)
	return &http.Transport{
		Protocols:              protocols,
		DialContext:            conns.dial,
		TLSClientConfig:        &tls.Config{Rand: random},
		TLSHandshakeTimeout:    10 * time.Second,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxAnswer,
		// Less than the 15 s after which the collector closes a connection.
		IdleConnTimeout: 10 * time.Second,
	}
}

// closeIdle closes the idle connections. Polls are minutes apart and the collector
// closes after 15 s, so a connection that is kept open may only break when it is used.
func (c *client) closeIdle() {
	for _, rt := range []http.RoundTripper{c.web, c.plain, c.secured} {
		if t, ok := rt.(interface{ CloseIdleConnections() }); ok {
			t.CloseIdleConnections()
		}
	}
}

// guard closes all connections when a call fails without an answer or its time is over.
// A server that goes on sending keeps an HTTP/2 connection busy for ever, and even
// closing the body of an answer waits for it. size is that of the request.
func (c *client) guard(ctx context.Context, size int) (end func(err error)) {
	if c.conns == nil {
		return func(error) {}
	}
	c.conns.dials.Store(maxDials)
	c.conns.traffic.Store(maxTraffic + int64(size)/64)
	stop := context.AfterFunc(ctx, c.conns.closeAll)
	return func(err error) {
		stop()
		var status *statusError
		if err != nil && !errors.As(err, &status) {
			c.conns.closeAll()
		}
	}
}

// A statusError is an answer that reports an error.
type statusError struct {
	http int // HTTP status, 0 if that is 200
	grpc int // gRPC status then
	text string
}

func (e *statusError) Error() string {
	if e.http != 0 {
		return strings.TrimRight(fmt.Sprintf("HTTP status %d %s", e.http, e.text), " ")
	}
	return strings.TrimRight(fmt.Sprintf("%s %s", grpcCode(e.grpc), e.text), " ")
}

// unauthenticated reports whether err says that the collector does not know the api
// key.
func unauthenticated(err error) bool {
	var status *statusError
	return errors.As(err, &status) && status.grpc == codeUnauthenticated
}

// tooLarge reports whether err says that a message was above the collector's limit.
func tooLarge(err error) bool {
	var status *statusError
	return errors.As(err, &status) &&
		(status.grpc == codeResourceExceeded || status.http == http.StatusRequestEntityTooLarge)
}

// initConfig asks the collector where it listens for gRPC.
func (c *client) initConfig(ctx context.Context) (target string, err error) {
	address := c.serverURL + "/javaagent/v5/initConfig?licenseKey=" + url.QueryEscape(c.apiKey)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "scavenger-wrap")
	end := c.guard(ctx, 0)
	resp, err := c.web.RoundTrip(req)
	if err != nil {
		end(err)
		return "", err
	}
	defer resp.Body.Close()
	defer func() { end(err) }() // before the body, whose end may never come
	body, err := readAnswer(resp)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		text := ""
		if to, err := resp.Location(); err == nil {
			text = fmt.Sprintf("to %s://%s: serverUrl must name it itself", to.Scheme, to.Host)
		}
		return "", &statusError{http: resp.StatusCode, text: text}
	}
	var answer struct {
		URL      string `json:"collectorUrl"`
		SnakeURL string `json:"collector_url"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", fmt.Errorf("initConfig's answer is not JSON: %w", err)
	}
	return c.grpcTarget(cmp.Or(answer.URL, answer.SnakeURL))
}

// grpcTarget returns scheme and address of a collectorUrl. Today's collector gives
// host and port only, as it saw them in the request. The api key is in every message:
// an answer may ask for TLS, but only the setting turns it off.
func (c *client) grpcTarget(collectorURL string) (string, error) {
	scheme, rest, found := strings.Cut(collectorURL, "://")
	if !found {
		scheme, rest = "", collectorURL
	}
	scheme = strings.ToLower(scheme)
	u, err := url.Parse("//" + rest)
	known := !found || scheme == "http" || scheme == "https"
	if err != nil || !known || u.Hostname() == "" || u.User != nil {
		return "", fmt.Errorf("initConfig's collectorUrl is %q, want host:port", clamp(collectorURL, 100))
	}
	secured := scheme == "https" || strings.HasPrefix(c.serverURL, "https:")
	if c.grpcTLS != "auto" {
		secured = c.grpcTLS == "on"
	}
	target, port := "http://", "80"
	if secured {
		target, port = "https://", "443"
	}
	if p := u.Port(); p != "" {
		port = p
	}
	return target + net.JoinHostPort(u.Hostname(), port), nil
}

// otherHost returns the host of target if it is not that of serverURL. It is the
// collector that names it, and it gets the api key.
func otherHost(serverURL, target string) string {
	asked, err := url.Parse(serverURL)
	if err != nil {
		return ""
	}
	named, err := url.Parse(target)
	if err != nil || strings.EqualFold(asked.Hostname(), named.Hostname()) {
		return ""
	}
	return named.Hostname()
}

// call makes one unary gRPC call to a target that initConfig returned, with a message
// made by [newMessage].
func (c *client) call(ctx context.Context, target, method string, message []byte) (answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target+service+method, bytes.NewReader(frame(message)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/grpc+proto")
	req.Header.Set("Te", "trailers")
	req.Header.Set("User-Agent", "scavenger-wrap")
	if deadline, ok := ctx.Deadline(); ok {
		ms := max(time.Until(deadline).Milliseconds(), 1)
		req.Header.Set("Grpc-Timeout", strconv.FormatInt(ms, 10)+"m")
	}
	transport := c.plain
	secured := req.URL.Scheme == "https"
	if secured {
		transport = c.secured
	}
	end := c.guard(ctx, len(message))
	resp, err := transport.RoundTrip(req)
	if err != nil {
		end(err)
		if secured && ctx.Err() == nil {
			err = fmt.Errorf("%w (gRPC over TLS to %s; grpcTls=off sends without)", err, req.URL.Host)
		}
		if !secured && strings.Contains(err.Error(), "does not support unencrypted HTTP/2") {
			err = fmt.Errorf("%w (%s)", err, withoutHTTP2)
		}
		return nil, err
	}
	defer resp.Body.Close()
	defer func() { end(err) }() // before the body, whose end may never come
	if resp.ProtoMajor != 2 {
		return nil, fmt.Errorf("%s speaks %s, want HTTP/2 (if it has it: %s)", req.URL.Host, resp.Proto, withoutHTTP2)
	}
	body, err := readAnswer(resp)
	if err != nil {
		return nil, err
	}
	return grpcAnswer(resp, body)
}

// grpcAnswer returns the message in a response whose body was read to its end.
func grpcAnswer(resp *http.Response, body []byte) ([]byte, error) {
	if resp.StatusCode != http.StatusOK {
		return nil, &statusError{http: resp.StatusCode}
	}
	if kind := resp.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/grpc") {
		return nil, fmt.Errorf("answer of type %q, want application/grpc", clamp(kind, 60))
	}
	// An error without a message has its status in the headers.
	from := resp.Trailer
	if resp.Header.Get("Grpc-Status") != "" {
		from = resp.Header
	}
	code, err := strconv.Atoi(from.Get("Grpc-Status"))
	if err != nil {
		return nil, errors.New("answer without a gRPC status")
	}
	if code != 0 {
		text, err := url.PathUnescape(from.Get("Grpc-Message"))
		if err != nil {
			text = from.Get("Grpc-Message")
		}
		return nil, &statusError{grpc: code, text: clamp(text, 200)}
	}
	if len(body) < frameSize || body[0] != 0 || uint64(binary.BigEndian.Uint32(body[1:])) != uint64(len(body)-frameSize) {
		return nil, fmt.Errorf("answer of %d bytes that is not one gRPC message", len(body))
	}
	return body[frameSize:], nil
}

// readAnswer reads a body, unless it is longer than any valid answer.
func readAnswer(resp *http.Response) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("answer above %d bytes", maxAnswer)
	}
	return body, nil
}

// grpcCode returns the name of a gRPC status code.
func grpcCode(code int) string {
	names := [...]string{"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
		"ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
		"OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"}
	if code < 0 || code >= len(names) {
		return fmt.Sprintf("gRPC status %d", code)
	}
	return names[code]
}
