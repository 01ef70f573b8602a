//go:build !nonetwork

package hitrt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Frames of HTTP/2, RFC 9113.
const (
	h2Data         = 0
	h2Headers      = 1
	h2Reset        = 3
	h2Settings     = 4
	h2Push         = 5
	h2Ping         = 6
	h2GoAway       = 7
	h2Window       = 8
	h2Continuation = 9

	h2EndStream  = 1
	h2EndHeaders = 4
)

func h2Frame(kind, flags byte, stream uint32, payload ...byte) []byte {
	b := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	return append(binary.BigEndian.AppendUint32(b, stream), payload...)
}

// h2Field is a header field, neither indexed nor compressed.
func h2Field(name, value string) []byte {
	b := append([]byte{0, byte(len(name))}, name...)
	if len(value) < 127 {
		b = append(b, byte(len(value)))
	} else {
		b = append(b, 127)
		b = binary.AppendUvarint(b, uint64(len(value)-127))
	}
	return append(b, value...)
}

var (
	h2Start = h2Frame(h2Settings, 0, 0)
	// 0x88 is :status 200.
	h2Answer = h2Frame(h2Headers, h2EndHeaders, 1, append([]byte{0x88}, h2Field("content-type", "application/grpc")...)...)
)

// h2Server answers each connection, after the first bytes of the client, with what
// parts writes; forever says to repeat the last part until the client is gone.
func h2Server(t *testing.T, forever bool, parts ...[]byte) string {
	t.Helper()
	return h2Counting(t, new(atomic.Int64), forever, parts...)
}

// h2Counting is h2Server, and counts its connections.
func h2Counting(t *testing.T, accepted *atomic.Int64, forever bool, parts ...[]byte) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted.Add(1)
			go func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
				first := make([]byte, 24)
				if _, err := io.ReadFull(conn, first); err != nil {
					return
				}
				go func() { _, _ = io.Copy(io.Discard, conn) }()
				for i := 0; i < len(parts); i++ {
					if _, err := conn.Write(parts[i]); err != nil {
						return
					}
					if i == 0 {
						time.Sleep(20 * time.Millisecond) // for the request to arrive
					}
					if forever && i == len(parts)-1 {
						i--
					}
				}
				time.Sleep(3 * time.Second)
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

func join(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// What no HTTP/2 server does. None of it may panic, hang, pass for an answer, leave
// anything behind, or take memory.
func TestCallBadHTTP2(t *testing.T) {
	ok := h2Frame(h2Data, 0, 1, 0, 0, 0, 0, 0)
	big := strings.Repeat("x", 60_000)
	tests := map[string]struct {
		forever bool
		parts   [][]byte
	}{
		"garbage":               {true, [][]byte{[]byte("no frame at all, and more of it than a header takes")}},
		"http1":                 {false, [][]byte{[]byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")}},
		"no_settings":           {false, [][]byte{h2Answer, ok}},
		"cut_off":               {false, [][]byte{h2Start, h2Answer[:7]}},
		"oversized_frame":       {true, [][]byte{h2Start, {0xff, 0xff, 0xff, h2Data, 0, 0, 0, 0, 1}, make([]byte, 1<<16)}},
		"endless_continuation":  {true, [][]byte{h2Start, h2Frame(h2Headers, 0, 1, 0x88), h2Frame(h2Continuation, 0, 1, h2Field("x", "y")...)}},
		"endless_headers":       {true, [][]byte{h2Start, h2Frame(h2Headers, h2EndHeaders, 1, h2Field(":status", "103")...)}},
		"large_headers":         {true, [][]byte{h2Start, h2Frame(h2Headers, 0, 1, 0x88), h2Frame(h2Continuation, 0, 1, h2Field("x", big[:16000])...)}},
		"large_trailers":        {true, [][]byte{h2Start, join(h2Answer, ok, h2Frame(h2Headers, h2EndStream, 1, h2Field("y", "z")...)), h2Frame(h2Continuation, 0, 1, h2Field("x", big[:16000])...)}},
		"ping_flood":            {true, [][]byte{h2Start, h2Frame(h2Ping, 0, 0, make([]byte, 8)...)}},
		"settings_flood":        {true, [][]byte{h2Start, h2Frame(h2Settings, 0, 0, 0, 3, 0, 0, 0, 1)}},
		"empty_data":            {true, [][]byte{h2Start, h2Answer, h2Frame(h2Data, 0, 1)}},
		"endless_data":          {true, [][]byte{h2Start, h2Answer, h2Frame(h2Data, 0, 1, make([]byte, 4096)...)}},
		"padding":               {true, [][]byte{h2Start, h2Answer, h2Frame(h2Data, 8, 1, append([]byte{200}, make([]byte, 200)...)...)}},
		"reset":                 {false, [][]byte{h2Start, join(h2Answer, h2Frame(h2Data, 0, 1, 0, 0, 0), h2Frame(h2Reset, 0, 1, 0, 0, 0, 2))}},
		"refused":               {false, [][]byte{h2Start, h2Frame(h2Reset, 0, 1, 0, 0, 0, 7)}},
		"goaway":                {false, [][]byte{h2Start, h2Frame(h2GoAway, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11)}},
		"goaway_after":          {false, [][]byte{h2Start, join(h2Answer, h2Frame(h2GoAway, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2))}},
		"push":                  {false, [][]byte{h2Start, h2Frame(h2Push, h2EndHeaders, 1, 0, 0, 0, 2, 0x82)}},
		"window_overflow":       {true, [][]byte{h2Start, h2Frame(h2Window, 0, 0, 0x7f, 0xff, 0xff, 0xff)}},
		"window_zero":           {false, [][]byte{h2Start, h2Frame(h2Window, 0, 1, 0, 0, 0, 0)}},
		"closed_window":         {false, [][]byte{h2Frame(h2Settings, 0, 0, 0, 4, 0, 0, 0, 0)}},
		"no_streams":            {false, [][]byte{h2Frame(h2Settings, 0, 0, 0, 3, 0, 0, 0, 0)}},
		"bad_compression":       {false, [][]byte{h2Start, h2Frame(h2Headers, h2EndHeaders, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)}},
		"no_status":             {false, [][]byte{h2Start, h2Frame(h2Headers, h2EndHeaders|h2EndStream, 1, h2Field("a", "b")...)}},
		"other_stream":          {false, [][]byte{h2Start, h2Frame(h2Headers, h2EndHeaders, 7, 0x88)}},
		"data_without_headers":  {false, [][]byte{h2Start, ok}},
		"answer_without_status": {false, [][]byte{h2Start, join(h2Answer, h2Frame(h2Data, h2EndStream, 1, 0, 0, 0, 0, 0))}},
	}
	message := appendString(newMessage(0), 1, strings.Repeat("x", 200_000)) // more than a window
	before := runtime.NumGoroutine()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			target := h2Server(t, test.forever, test.parts...)
			c := testClient(t, target, "auto")
			held := heap()
			began := time.Now()
			body, err := c.call(within(t, 500*time.Millisecond), target, methodPoll, append([]byte(nil), message...))
			if err == nil {
				t.Errorf("answer %q", body)
			}
			if took := time.Since(began); took > hang {
				t.Errorf("took %v", took)
			}
			if now := heap(); now > held+16<<20 {
				t.Errorf("%d bytes more are held", now-held)
			}
			c.closeIdle()
		})
	}
	for range int(hang / (10 * time.Millisecond)) { // the servers' goroutines end too
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	b := make([]byte, 1<<16)
	t.Errorf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, b[:runtime.Stack(b, true)])
}

// A server that closes each connection and says that the request may be repeated is
// not asked again and again.
func TestCallConnections(t *testing.T) {
	for name, parts := range map[string][][]byte{
		"goaway":         {h2Start, h2Frame(h2GoAway, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)},
		"goaway_at_once": {join(h2Start, h2Frame(h2GoAway, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))},
		"refused_stream": {h2Start, join(h2Frame(h2Reset, 0, 1, 0, 0, 0, 7), h2Frame(h2GoAway, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))},
	} {
		t.Run(name, func(t *testing.T) {
			var accepted atomic.Int64
			target := h2Counting(t, &accepted, false, parts...)
			for call := int64(1); call <= 2; call++ { // each call has connections of its own
				c := testClient(t, target, "auto")
				body, err := c.call(within(t, 3*time.Second), target, methodPoll, newMessage(0))
				if err == nil {
					t.Errorf("answer %q", body)
				}
				if n := accepted.Load(); n > call*maxDials {
					t.Fatalf("%d connections after %d calls, the last of which says %v", n, call, err)
				}
			}
		})
	}
}

// Frames without content, as fast as they come, end the call before its time is over.
func TestCallFlood(t *testing.T) {
	log.SetOutput(io.Discard) // net/http writes there what it does not expect
	defer log.SetOutput(os.Stderr)
	many := func(frame []byte) []byte { return bytes.Repeat(frame, 1000) }
	for name, parts := range map[string][][]byte{
		"data":     {h2Start, h2Answer, many(h2Frame(h2Data, 0, 1))},
		"window":   {h2Start, many(join(h2Frame(h2Window, 0, 1, 0, 0, 0, 1)))},
		"unknown":  {h2Start, many(h2Frame(0xEE, 0, 0))},
		"priority": {h2Start, many(h2Frame(2, 0, 1, 0, 0, 0, 0, 1))},
	} {
		t.Run(name, func(t *testing.T) {
			var accepted atomic.Int64
			target := h2Counting(t, &accepted, true, parts...)
			c := testClient(t, target, "auto")
			_, err := c.call(within(t, hang), target, methodPoll, newMessage(0))
			if !errors.Is(err, errTraffic) && (err == nil || errors.Is(err, context.DeadlineExceeded)) {
				t.Errorf("the call ends with %v, want %v", err, errTraffic)
			}
			if n := accepted.Load(); n > maxDials {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// A publication of the largest size is within the limits, however often the server
// acknowledges it.
func TestCallTraffic(t *testing.T) {
	server := serve(t, newFake())
	c := testClient(t, server.URL, "auto")
	big := appendString(newMessage(0), 1, strings.Repeat("x", 4*maxMessage))
	var status *statusError
	if _, err := c.call(within(t, hang), server.URL, methodPoll, big); !errors.As(err, &status) {
		t.Errorf("%v, want the server's answer", err)
	}
	if left, all := c.conns.traffic.Load(), int64(maxTraffic+len(big)/64); left < all/2 {
		t.Errorf("%d of %d bytes are left", left, all)
	}
}

// The same for the first question, which goes over HTTP/1.1.
func TestInitConfigBadHTTP1(t *testing.T) {
	for name, answer := range map[string]string{
		"garbage":         "\x00\x01\x02\x03 no HTTP\r\n\r\n",
		"short":           "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
		"endless_headers": "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 1000) + "\r\n{}",
		"continue":        strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 1000),
		"chunks":          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
		"negative":        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"nothing":         "",
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := w.(http.Hijacker).Hijack()
				if err == nil {
					_, _ = io.WriteString(conn, answer)
					conn.Close()
				}
			}))
			defer server.Close()
			c := testClient(t, server.URL, "auto")
			if target, err := c.initConfig(within(t, 2*time.Second)); err == nil || strings.Contains(err.Error(), testKey) {
				t.Errorf("target %q, error %v", target, err)
			}
		})
	}
}
