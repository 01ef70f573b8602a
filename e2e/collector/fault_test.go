// The faults: what a client sees of them.

package collector

import (
	"bufio"
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
)

func isTimeout(err error) bool {
	var netErr net.Error
	return errors.As(err, &netErr) && netErr.Timeout()
}

func TestRefuse(t *testing.T) {
	c := start(t, Options{})
	conn, err := net.Dial("tcp", c.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := dial(t, c).poll(DemoKey, "u"); err != nil {
		t.Fatal(err)
	}
	if err := c.SetFault(Refuse, PollConfig); err == nil {
		t.Errorf("refusing one kind is accepted")
	}
	if err := c.SetFault(Refuse); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := bufio.NewReader(conn).ReadByte(); err == nil || isTimeout(err) {
		t.Errorf("open connection is not cut: %v", err)
	}
	if _, err := net.Dial("tcp", c.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dialling: got %v, want ECONNREFUSED", err)
	}
	_, err = dial(t, c).poll(DemoKey, "u")
	wantCode(t, "refused", err, codes.Unavailable)
	if err := c.SetFault(Healthy); err != nil {
		t.Fatal(err)
	}
	if _, err := dial(t, c).poll(DemoKey, "u"); err != nil {
		t.Errorf("after the fault: %v", err)
	}
	if err := c.SetFault("broken"); err == nil {
		t.Errorf("unknown fault is accepted")
	}
}

func TestFaults(t *testing.T) {
	c := start(t, Options{})
	cl := dial(t, c)
	d := someCommon()
	set := func(f Fault, of ...Kind) {
		t.Helper()
		if err := c.SetFault(f, of...); err != nil {
			t.Fatal(err)
		}
	}
	set(Unavailable)
	_, err := cl.poll(DemoKey, "uuid-1")
	wantCode(t, "unavailable", err, codes.Unavailable)
	resp, _ := do(t, httpClient(t, c, false), newRequest(t, "GET", c.URL()+"/javaagent/v5/initConfig?licenseKey=k", ""))
	if resp.StatusCode != 503 {
		t.Errorf("initConfig: got %s, want 503", resp.Status)
	}
	set(Healthy)
	set(Unauthenticated, PollConfig)
	_, err = cl.poll(DemoKey, "uuid-1")
	wantCode(t, "unauthenticated", err, codes.Unauthenticated)
	wantCode(t, "another kind", cl.codebase(d), codes.OK)
	set(Healthy)

	set(LoseAnswer)
	e := entry("a.func", "F", "")
	d.Fingerprint = "f2"
	wantCode(t, "answer lost", cl.codebase(d, e), codes.Unavailable)
	cl.imported()
	if got := c.Tables().Methods; len(got) != 1 {
		t.Errorf("%d methods although only the answer was lost", len(got))
	}
	if resp, err := httpClient(t, c, false).Get(c.URL() + "/javaagent/v5/initConfig?licenseKey=k"); err == nil {
		resp.Body.Close()
		t.Errorf("lost answer to initConfig is %s", resp.Status)
	}

	if err := c.SetFaultFor(50*time.Millisecond, Unavailable); err != nil {
		t.Fatal(err)
	}
	err = c.WaitFor(testContext(t), func() bool {
		_, err := cl.poll(DemoKey, "uuid-1")
		return err == nil
	})
	if err != nil {
		t.Errorf("fault does not end: %v", err)
	}
}

func TestHang(t *testing.T) {
	c := start(t, Options{})
	cl := dial(t, c)
	if err := c.SetFault(Hang); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	in := c.schema.newMessage("GetConfigRequest")
	setField(in, "api_key", DemoKey)
	given := make(chan error)
	go func() { given <- cl.invoke(ctx, "PollConfig", in, c.schema.newMessage("GetConfigResponse")) }()
	if err := c.WaitFor(testContext(t), func() bool { return len(c.Requests(PollConfig)) == 1 }); err != nil {
		t.Fatal(err)
	}
	cancel()
	wantCode(t, "hanging", <-given, codes.Canceled)

	// One that waits longer gets its answer in the end.
	answer := make(chan error)
	go func() {
		_, err := cl.poll(DemoKey, "uuid-1")
		answer <- err
	}()
	if err := c.WaitFor(testContext(t), func() bool { return len(c.Requests(PollConfig)) == 2 }); err != nil {
		t.Fatal(err)
	}
	if got := c.Count(PollConfig); got != 0 {
		t.Errorf("%d polls count as answered while they hang", got)
	}
	if err := c.SetFault(Healthy); err != nil {
		t.Fatal(err)
	}
	if err := <-answer; err != nil {
		t.Errorf("after the fault: %v", err)
	}
	cl.imported()
	if got := c.Tables().AgentStates; len(got) != 1 || got[0].UUID != "uuid-1" {
		t.Errorf("agent_state is %+v; the call that was given up must not count", got)
	}
}

func TestCloseWhileBusy(t *testing.T) {
	c := start(t, Options{CodebaseDelay: time.Hour})
	cl := dial(t, c)
	c.Hold(InvocationImport)
	c.LoseFirstHits()
	wantCode(t, "codebase", cl.codebase(someCommon(), someEntries(1)...), codes.OK)
	wantCode(t, "invocations", cl.invocations(someCommon(), someTime, "h"), codes.OK)
	if err := c.SetFaultFor(time.Hour, Hang); err != nil {
		t.Fatal(err)
	}
	answer := make(chan error)
	go func() {
		_, err := cl.poll(DemoKey, "u")
		answer <- err
	}()
	if err := c.WaitFor(testContext(t), func() bool { return len(c.Requests(PollConfig)) == 1 }); err != nil {
		t.Fatal(err)
	}
	closed := make(chan bool)
	go func() { c.Close(); c.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(patience):
		t.Fatal("Close hangs")
	}
	if err := <-answer; err == nil {
		t.Errorf("poll was answered by a closed collector")
	}
	if err := c.WaitFor(context.Background(), func() bool { return false }); err == nil {
		t.Errorf("WaitFor of a closed collector returned without an error")
	}
	if err := c.SetFault(Healthy); err != nil {
		t.Errorf("SetFault: %v", err)
	}
	if _, err := net.Dial("tcp", c.Addr()); err == nil {
		t.Errorf("a closed collector accepts connections")
	}
}
