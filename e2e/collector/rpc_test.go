// Status codes, limits, intervals and the log.

package collector

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
)

func TestStatusCodes(t *testing.T) {
	c := start(t, Options{APIKeys: []string{DemoKey, "other"}})
	cl := dial(t, c)
	with := func(change func(d *Common)) Common {
		d := someCommon()
		change(&d)
		return d
	}
	noHash := entry("a.func", "F", "")
	noHash.Hash = ""
	badText := string([]byte{0xff})
	tests := []struct {
		name   string
		change func(d *Common)
		want   codes.Code
		reason string // among the violations; the client does not learn it
	}{
		{"good", func(d *Common) {}, codes.OK, ""},
		{"no environment", func(d *Common) { d.Environment = "" }, codes.OK, ""},
		{"app name", func(d *Common) { d.AppName = "" }, codes.InvalidArgument, "app_name is empty"},
		{"app version", func(d *Common) { d.AppVersion = "" }, codes.InvalidArgument, "app_version is empty"},
		{"fingerprint", func(d *Common) { d.Fingerprint = "" }, codes.InvalidArgument, "code_base_fingerprint is empty"},
		{"hostname", func(d *Common) { d.Hostname = "" }, codes.InvalidArgument, "hostname is empty"},
		{"uuid", func(d *Common) { d.UUID = "" }, codes.InvalidArgument, "jvm_uuid is empty"},
		{"api key", func(d *Common) { d.APIKey = "" }, codes.InvalidArgument, "api_key is empty"},
		{"started", func(d *Common) { d.StartedAtMillis = firstMillis - 1 }, codes.InvalidArgument, "jvm_started_at_millis is 1489999999999"},
		{"first start", func(d *Common) { d.StartedAtMillis = firstMillis }, codes.OK, ""},
		{"published", func(d *Common) { d.PublishedAtMillis = firstMillis - 1 }, codes.InvalidArgument, "published_at_millis is 1489999999999"},
		{"first published", func(d *Common) { d.PublishedAtMillis = firstMillis }, codes.OK, ""},
		{"unknown key", func(d *Common) { d.APIKey = "nobody" }, codes.Unauthenticated, ""},
		{"invalid before unknown key", func(d *Common) { d.APIKey, d.AppName = "nobody", "" }, codes.InvalidArgument, "app_name is empty"},
	}
	for _, test := range tests {
		d := with(test.change)
		wantCode(t, test.name+", codebase", cl.codebase(d, entry("a.func", "F", "")), test.want)
		err := cl.invocations(d, someTime, "h")
		wantCode(t, test.name+", invocations", err, test.want)
		if test.want == codes.InvalidArgument && status.Convert(err).Message() != "" {
			t.Errorf("%s: message %q, want none", test.name, status.Convert(err).Message())
		}
		noted := slices.ContainsFunc(c.Violations(), func(v Violation) bool { return v.Rule == "invalid" && v.Text == test.reason })
		if noted != (test.reason != "") {
			t.Errorf("%s: no violation %q in %v", test.name, test.reason, c.Violations())
		}
	}
	wantCode(t, "entry without hash", cl.codebase(someCommon(), noHash), codes.InvalidArgument)
	wantCode(t, "invocation without hash", cl.invocations(someCommon(), someTime, "a", ""), codes.InvalidArgument)
	wantCode(t, "no common data", cl.send("SendCodeBasePublication", cl.codebaseMessage(nil, nil)), codes.InvalidArgument)
	wantCode(t, "no common data", cl.send("SendInvocationDataPublication", cl.invocationMessage(nil, 1, nil)), codes.InvalidArgument)
	_, err := cl.poll("nobody", "u")
	wantCode(t, "poll with unknown key", err, codes.Unauthenticated)
	_, err = cl.poll("", "u")
	wantCode(t, "poll without key", err, codes.Unauthenticated)
	_, err = cl.poll(DemoKey, "")
	wantCode(t, "poll without uuid", err, codes.OK)
	wantCode(t, "unknown method", cl.invoke(testContext(t), "SendCallStack", &emptypb.Empty{}, &emptypb.Empty{}), codes.Unimplemented)

	damaged := &emptypb.Empty{}
	damaged.ProtoReflect().SetUnknown([]byte{0x0a, 0x7f})
	wantCode(t, "damaged message", cl.invoke(testContext(t), "SendCodeBasePublication", damaged, &emptypb.Empty{}), codes.InvalidArgument)
	wrongText := &emptypb.Empty{}
	wrongText.ProtoReflect().SetUnknown(append([]byte{0x0a, 0x01}, badText...))
	wantCode(t, "text not UTF-8", cl.invoke(testContext(t), "PollConfig", wrongText, &emptypb.Empty{}), codes.InvalidArgument)
}

func TestWorkspaces(t *testing.T) {
	c := start(t, Options{APIKeys: []string{"a", "b"}, NoJitter: true})
	cl := dial(t, c)
	d := someCommon()
	d.APIKey = "a"
	if !c.DisableWorkspace("a", true) || c.DisableWorkspace("x", true) {
		t.Errorf("DisableWorkspace: want true for a known key only")
	}
	got, err := cl.poll("a", "u")
	if want := []int{120, 120, 3600, 3600, 3600, 3600}; err != nil || !slices.Equal(got, want) {
		t.Errorf("poll of a disabled workspace: got %v, %v, want %v", got, err, want)
	}
	wantCode(t, "codebase, disabled", cl.codebase(d), codes.Unknown)
	wantCode(t, "invocations, disabled", cl.invocations(d, someTime), codes.Unknown)
	d.AppName = ""
	wantCode(t, "invalid, disabled", cl.codebase(d), codes.InvalidArgument)
	cl.imported()
	if got := len(c.Tables().Applications); got != 0 {
		t.Errorf("a disabled workspace got %d applications", got)
	}
	c.DisableWorkspace("a", false)
	d.AppName = "shop"
	wantCode(t, "codebase, enabled again", cl.codebase(d, someEntries(1)...), codes.OK)

	c.RemoveWorkspace("b")
	_, err = cl.poll("b", "u")
	wantCode(t, "removed key", err, codes.Unauthenticated)
	c.AddWorkspace("b")
	_, err = cl.poll("b", "u")
	wantCode(t, "added key", err, codes.OK)
	if _, err := Start(Options{APIKeys: []string{strings.Repeat("k", 41)}}); err == nil {
		t.Errorf("Start took an api key of 41 characters")
	}
}

func TestMessageSize(t *testing.T) {
	const limit = 2000
	c := start(t, Options{MaxMessageSize: limit})
	cl := dial(t, c)
	e := entry("a.func", "F", "")
	sized := func(size int) proto.Message {
		e.ParameterTypes = ""
		d := someCommon()
		for {
			m := cl.codebaseMessage(&d, []Entry{e})
			missing := size - proto.Size(m)
			if missing == 0 {
				return m
			}
			if missing < 0 { // length prefixes grew
				e.ParameterTypes = e.ParameterTypes[:len(e.ParameterTypes)+missing]
			}
			e.ParameterTypes += strings.Repeat("x", max(missing, 0))
		}
	}
	for _, test := range []struct {
		size int
		want codes.Code
	}{
		{limit - 5, codes.OK},
		{limit - 4, codes.Unknown},
		{limit, codes.Unknown},
		{limit + 1, codes.ResourceExhausted},
		{limit * 10, codes.ResourceExhausted},
	} {
		wantCode(t, "plain", cl.send("SendCodeBasePublication", sized(test.size)), test.want)
	}
	// gzip does not buy room.
	out := c.schema.newMessage("PublicationResponse")
	err := cl.conn.Invoke(testContext(t), "/GrpcAgentService/SendCodeBasePublication", sized(limit*10), out, grpc.UseCompressor("gzip"))
	wantCode(t, "gzip", err, codes.ResourceExhausted)
	err = cl.conn.Invoke(testContext(t), "/GrpcAgentService/SendCodeBasePublication", sized(limit-5), out, grpc.UseCompressor("gzip"))
	wantCode(t, "gzip", err, codes.OK)
	err = c.WaitFor(testContext(t), func() bool {
		return len(c.Requests()) == 7 && !slices.ContainsFunc(c.Requests(), func(r Request) bool { return !r.Answered })
	})
	if err != nil {
		t.Errorf("rejected messages are not in the log: %v", err)
	}
}

func TestRealMessageSize(t *testing.T) {
	c := start(t, Options{})
	cl := dial(t, c)
	d := someCommon()
	e := entry("a.func", "F", strings.Repeat("x", DefaultMaxMessageSize))
	wantCode(t, "above 10 MiB", cl.codebase(d, e), codes.ResourceExhausted)
	hashes := make([]string, 250_000)
	for i := range hashes {
		hashes[i] = strings.Repeat("0", 32)
	}
	wantCode(t, "9 MB of invocations", cl.invocations(d, someTime, hashes...), codes.OK)
}

func TestIntervals(t *testing.T) {
	now := time.UnixMilli(someTime)
	c := start(t, Options{NoJitter: true, Now: func() time.Time { return now }})
	cl := dial(t, c)
	for i, test := range []struct {
		age  time.Duration
		want int
	}{
		{0, 1}, {599 * time.Second, 1}, {10 * time.Minute, 2}, {20 * time.Minute, 5}, {30 * time.Minute, 10},
		{1000 * time.Hour, 10}, {-9 * time.Minute, 1}, {-10 * time.Minute, 10},
	} {
		d := someCommon()
		d.UUID = string(rune('a' + i))
		d.StartedAtMillis = now.Add(-test.age).UnixMilli()
		if err := cl.codebase(d); err != nil {
			t.Fatal(err)
		}
		cl.imported()
		got, err := cl.poll(DemoKey, d.UUID)
		want := []int{120 * test.want, 120, 120 * test.want, 120, 120 * test.want, 120}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("age %v: got %v, %v, want %v", test.age, got, err, want)
		}
	}
}

func TestIntervalOptions(t *testing.T) {
	now := time.UnixMilli(someTime)
	c := start(t, Options{PollSeconds: 1, PublishSeconds: 20, RetrySeconds: 3, TestProfile: true, Now: func() time.Time { return now }})
	cl := dial(t, c)
	d := someCommon()
	d.StartedAtMillis = now.Add(-time.Hour).UnixMilli()
	cl.good(d, someTime, someEntries(1))
	different := false
	for range 200 {
		got, err := cl.poll(DemoKey, d.UUID)
		if err != nil {
			t.Fatal(err)
		}
		different = different || got[2] != got[4]
		if got[0] != 1 || got[1] != 3 || got[3] != 3 || got[5] != 3 || got[2] < 20 || got[2] > 29 || got[4] < 20 || got[4] > 29 {
			t.Fatalf("got %v, want 1 3 20-29 3 20-29 3", got)
		}
	}
	if !different {
		t.Errorf("the two publish intervals have the same random part in 200 polls")
	}
	c.SetIntervals(7, 8, 9)
	if got, err := cl.poll(DemoKey, d.UUID); err != nil || got[0] != 7 || got[1] != 9 || got[2] < 8 || got[2] > 17 {
		t.Errorf("after SetIntervals: got %v, %v", got, err)
	}
}

func TestIntervalCache(t *testing.T) {
	now := time.UnixMilli(someTime)
	c := start(t, Options{NoJitter: true, Now: func() time.Time { return now }})
	cl := dial(t, c)
	poll := func(want int) {
		t.Helper()
		if got, err := cl.poll(DemoKey, "uuid-1"); err != nil || got[0] != want {
			t.Errorf("got %v, %v, want %d first", got, err, want)
		}
		cl.imported()
	}
	poll(120)
	d := someCommon()
	d.StartedAtMillis = now.Add(-time.Hour).UnixMilli()
	if err := cl.codebase(d); err != nil {
		t.Fatal(err)
	}
	cl.imported()
	poll(120) // still cached
	now = now.Add(301 * time.Second)
	poll(1200)
	states := c.Tables().AgentStates
	if len(states) != 1 || states[0].LastPolledAtMillis != now.UnixMilli() || states[0].NextPollExpectedAtMillis != now.Add(1200*time.Second).UnixMilli() {
		t.Errorf("agent_state is %+v", states)
	}
}

func TestRequestLog(t *testing.T) {
	c := start(t, Options{})
	cl := dial(t, c)
	d := someCommon()
	e := entry("a.func", "F", "int")
	cl.good(d, someTime, []Entry{e}, e.Hash)
	requests := c.Requests()
	if len(requests) != 3 {
		t.Fatalf("%d requests in the log, want 3", len(requests))
	}
	for i, want := range []Kind{PollConfig, Codebase, Invocations} {
		r := requests[i]
		if r.Kind != want || r.Number != i+1 || !r.OK() || r.Size == 0 || r.Host != c.Addr() || r.Remote == "" ||
			r.Header.Get("Content-Type") != "application/grpc" || r.Timeout <= 0 || r.Timeout > patience {
			t.Errorf("request %d: %+v", i, r)
		}
	}
	if got := requests[0].Poll; *got != (PollRequest{DemoKey, "uuid-1"}) {
		t.Errorf("poll: %+v", got)
	}
	if got := requests[1].Codebase; *got.Common != d || len(got.Entries) != 1 || got.Entries[0] != e {
		t.Errorf("codebase: %+v", got)
	}
	if got := requests[2].Invocations; *got.Common != d || got.IntervalStartedMillis != someTime || !slices.Equal(got.Hashes, []string{e.Hash}) {
		t.Errorf("invocations: %+v", got)
	}
	if got := c.Requests(Codebase, PollConfig); len(got) != 2 || got[0].Kind != PollConfig {
		t.Errorf("Requests(Codebase, PollConfig) = %v", got)
	}
	wantRules(t, c)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	err := c.WaitRequests(ctx, Invocations, 2)
	if want := "context deadline exceeded; seen: 1 pollConfig, 1 codebase, 1 invocations; 0 imports pending, 0 failed"; err == nil || err.Error() != want {
		t.Errorf("WaitRequests: got %v, want %s", err, want)
	}
	if err := c.WaitRequests(testContext(t), Invocations, 1); err != nil {
		t.Errorf("WaitRequests: %v", err)
	}
}

func TestUnknownField(t *testing.T) {
	c := start(t, Options{})
	cl := dial(t, c)
	m := c.schema.newMessage("GetConfigRequest")
	setField(m, "api_key", DemoKey)
	m.SetUnknown([]byte{0x1a, 0x01, 'x'}) // field 3
	wantCode(t, "unknown field", cl.invoke(testContext(t), "PollConfig", m, &emptypb.Empty{}), codes.OK)
	wantRules(t, c, "unknown field")
}

func TestEncoding(t *testing.T) {
	// The bytes on the wire, spelled out, so that the .proto file is checked
	// against the contract and not against itself.
	s, err := compileSchema()
	if err != nil {
		t.Fatal(err)
	}
	common := "\x0a\x1e" + "\x0a\x01k" + "\x12\x01a" + "\x1a\x01v" + "\x22\x01f" + "\x2a\x01e" + "\x32\x01h" + "\x38\x01" + "\x42\x01u" + "\x48\x80\x80\x01"
	common = "\x0a" + string(rune(len(common)-2)) + common[2:]
	wantCommon := Common{"k", "a", "v", "f", "e", "h", 1, "u", 1 << 14}
	entries := "\x12\x18" + "\x0a\x01a" + "\x12\x01b" + "\x1a\x01c" + "\x22\x01d" + "\x2a\x01e" + "\x32\x01f" + "\x3a\x01g" + "\x42\x01h"
	p, unknown, err := s.decodeCodebase([]byte(common + entries))
	if err != nil || unknown || *p.Common != wantCommon || len(p.Entries) != 1 || p.Entries[0] != (Entry{"a", "b", "c", "d", "e", "f", "g", "h"}) {
		t.Errorf("codebase: got %+v, %v, %v", p, unknown, err)
	}
	i, unknown, err := s.decodeInvocations([]byte(common + "\x12\x03\x0a\x01x" + "\x18\x07"))
	if err != nil || unknown || *i.Common != wantCommon || i.IntervalStartedMillis != 7 || !slices.Equal(i.Hashes, []string{"x"}) {
		t.Errorf("invocations: got %+v, %v, %v", i, unknown, err)
	}
	r, unknown, err := s.decodePoll([]byte("\x0a\x01k\x12\x01u"))
	if err != nil || unknown || *r != (PollRequest{"k", "u"}) {
		t.Errorf("poll: got %+v, %v, %v", r, unknown, err)
	}
	ok, err := s.encodeOK()
	if want := []byte("\x0a\x02OK"); err != nil || !bytes.Equal(ok, want) {
		t.Errorf("OK: got %q, %v, want %q", ok, err, want)
	}
	config, err := s.encodeConfig(intervals{1, 2, 3, 4, 5, 6})
	if want := []byte{8, 1, 16, 2, 24, 3, 32, 4, 40, 5, 48, 6}; err != nil || !bytes.Equal(config, want) {
		t.Errorf("config: got %v, %v, want %v", config, err, want)
	}
}
