//go:build !nonetwork

package hitrt

import (
	"bytes"
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// The time zone of a program is read once, when the first local time is printed. A program
// may set TZ until then, and time.Local at any time.
func TestLinesLeaveTimeZone(t *testing.T) {
	local := time.Local
	defer func() { time.Local = local }()
	time.Local = time.FixedZone("here", 9*3600)

	var out bytes.Buffer
	newLogger(&out, &settings{logLevel: levelInfo}).Info("line")
	stamp, _, _ := bytes.Cut(out.Bytes(), []byte(" "))
	if !bytes.HasPrefix(stamp, []byte("time=")) || !bytes.HasSuffix(stamp, []byte("Z")) {
		t.Errorf("the line begins with %s, want a time in UTC", stamp)
	}
}

// A program that resolves names itself sees its own requests only.
func TestResolverLeftAlone(t *testing.T) {
	resolver := net.DefaultResolver
	defer func() { net.DefaultResolver = resolver }()
	var asked atomic.Int32
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		asked.Add(1)
		return nil, net.ErrClosed
	}}

	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	c := newClient(&settings{serverURL: "http://collector.invalid", apiKey: testKey, grpcTLS: "auto"}, nil)
	if _, err := c.initConfig(ctx); err == nil {
		t.Error("collector.invalid was found")
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the program's resolver was asked %d times", n)
	}
}
