// The gRPC service: decoding, validation and status codes.

package collector

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // the real collector accepts it, though no known publisher uses it
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// firstMillis is the earliest time that the real collector accepts.
const firstMillis = 1_490_000_000_000

// prefixSize is the size of the prefix of a gRPC message. It counts toward
// the limit of the HTTP body, which is the same number as the message's.
const prefixSize = 5

func (c *Collector) newGRPC() *grpc.Server {
	s := grpc.NewServer(
		grpc.ForceServerCodec(frameCodec{}),
		grpc.MaxRecvMsgSize(c.options.MaxMessageSize),
		grpc.StatsHandler(rejections{c}),
		grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error {
			return status.Error(codes.Unimplemented, "")
		}),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: c.options.IdleTimeout}),
	)
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: "GrpcAgentService",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			c.method("PollConfig", PollConfig),
			c.method("SendCodeBasePublication", Codebase),
			c.method("SendInvocationDataPublication", Invocations),
		},
	}, c)
	return s
}

func (c *Collector) method(name string, kind Kind) grpc.MethodDesc {
	return grpc.MethodDesc{
		MethodName: name,
		Handler: func(_ any, ctx context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			var in frame
			if err := dec(&in); err != nil {
				return nil, err
			}
			out, err := c.call(ctx, kind, in)
			if err != nil {
				return nil, err
			}
			return &out, nil
		},
	}
}

// A frame is an encoded message. grpc-go passes it through as it is, so that
// what a damaged message is answered is decided here.
type frame []byte

type frameCodec struct{}

func (frameCodec) Name() string { return "proto" }

func (frameCodec) Marshal(v any) ([]byte, error) {
	f, ok := v.(*frame)
	if !ok {
		return nil, fmt.Errorf("marshalling %T", v)
	}
	return *f, nil
}

func (frameCodec) Unmarshal(data []byte, v any) error {
	f, ok := v.(*frame)
	if !ok {
		return fmt.Errorf("unmarshalling into %T", v)
	}
	*f = data
	return nil
}

// call serves one call.
func (c *Collector) call(ctx context.Context, kind Kind, in frame) (frame, error) {
	r := requestOf(ctx, kind)
	r.Size = len(in)
	unknown, damaged := c.decode(&r, in)
	r.Number = c.log(r)
	out, err := c.answer(ctx, &r, unknown, damaged)
	c.logAnswer(r.Number, status.Code(err), 0)
	return out, err
}

// requestOf fills in what the context of a call knows.
func requestOf(ctx context.Context, kind Kind) Request {
	r := Request{Kind: kind}
	if mark, ok := ctx.Value(callMark{}).(*call); ok {
		mark.logged.Store(true)
		r.Path = mark.path
	}
	if p, ok := peer.FromContext(ctx); ok {
		r.Remote = p.Addr.String()
	}
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		r.Header = make(http.Header)
		for name, values := range md {
			for _, value := range values {
				r.Header.Add(name, value)
			}
		}
		if hosts := md[":authority"]; len(hosts) > 0 {
			r.Host = hosts[0]
		}
	}
	if deadline, ok := ctx.Deadline(); ok {
		r.Timeout = time.Until(deadline)
	}
	return r
}

// decode decodes the message of a call.
func (c *Collector) decode(r *Request, in frame) (unknown bool, err error) {
	switch r.Kind {
	case PollConfig:
		r.Poll, unknown, err = c.schema.decodePoll(in)
	case Codebase:
		r.Codebase, unknown, err = c.schema.decodeCodebase(in)
	default:
		r.Invocations, unknown, err = c.schema.decodeInvocations(in)
	}
	return unknown, err
}

// answer decides what a call is answered and, if that is OK, what becomes of
// it afterwards.
func (c *Collector) answer(ctx context.Context, r *Request, unknown bool, damaged error) (frame, error) {
	f, err := c.fault(ctx, r.Kind)
	if err != nil {
		return nil, err
	}
	if f == Unavailable {
		return nil, status.Error(codes.Unavailable, "")
	}
	if limit := c.options.MaxMessageSize - prefixSize; r.Size > limit {
		// Only with its prefix is the body too long: not gRPC's limit but
		// HTTP's, which gRPC clients report in these words.
		return nil, status.Error(codes.Unknown, "HTTP status code 413")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out, err := c.accept(r, f, unknown, damaged)
	if err == nil && f == LoseAnswer {
		return nil, status.Error(codes.Unavailable, "")
	}
	return out, err
}

// accept validates a call and queues its import. The caller holds c.mu.
func (c *Collector) accept(r *Request, f Fault, unknown bool, damaged error) (frame, error) {
	if unknown {
		c.violate(r.Number, "unknown field", "%s has fields that the collector does not know", r.Kind)
	}
	if damaged == nil && r.Kind != PollConfig {
		damaged = validate(r)
	}
	if damaged != nil {
		c.violate(r.Number, "invalid", "%v", damaged)
		return nil, status.Error(codes.InvalidArgument, "")
	}
	apiKey := ""
	if r.Kind == PollConfig {
		apiKey = r.Poll.APIKey
	} else {
		apiKey = r.common().APIKey
	}
	w := c.workspaces[apiKey]
	if w == nil || f == Unauthenticated {
		return nil, status.Error(codes.Unauthenticated, "")
	}
	if r.Kind == PollConfig {
		return c.acceptPoll(r)
	}
	c.checkPublication(r)
	if w.disabled {
		// An exception that the real collector maps to no code.
		return nil, status.Error(codes.Unknown, "")
	}
	c.queuePublication(r)
	return c.schema.encodeOK()
}

func (c *Collector) acceptPoll(r *Request) (frame, error) {
	c.rules.polled[pair{r.Poll.APIKey, r.Poll.UUID}] = true
	c.checkColumn(r.Number, columnAgentUUID, r.Poll.UUID)
	answer := c.intervalsFor(r.Poll.APIKey, r.Poll.UUID)
	c.queuePoll(r, answer.poll)
	return c.schema.encodeConfig(answer)
}

// validate finds out what the real collector answers INVALID_ARGUMENT to,
// without saying why. It does not look at the lengths, at the environment or
// at the recording interval.
func validate(r *Request) error {
	d := r.common()
	if d == nil {
		return errors.New("common_data is missing")
	}
	if r.Codebase != nil {
		for i := range r.Codebase.Entries {
			if e := &r.Codebase.Entries[i]; e.Hash == "" {
				return fmt.Errorf("signature_hash of %q is empty", e.Signature)
			}
		}
	}
	if r.Invocations != nil {
		for i, hash := range r.Invocations.Hashes {
			if hash == "" {
				return fmt.Errorf("hash of entry %d is empty", i)
			}
		}
	}
	for _, field := range []struct{ name, value string }{
		{"app_name", d.AppName},
		{"app_version", d.AppVersion},
		{"code_base_fingerprint", d.Fingerprint},
		{"hostname", d.Hostname},
		{"jvm_uuid", d.UUID},
		{"api_key", d.APIKey},
	} {
		if field.value == "" {
			return fmt.Errorf("%s is empty", field.name)
		}
	}
	if d.StartedAtMillis < firstMillis {
		return fmt.Errorf("jvm_started_at_millis is %d", d.StartedAtMillis)
	}
	if d.PublishedAtMillis < firstMillis {
		return fmt.Errorf("published_at_millis is %d", d.PublishedAtMillis)
	}
	return nil
}

// rejections logs the calls that grpc-go answers itself: too large ones and
// unknown methods.
type rejections struct {
	c *Collector
}

type callMark struct{}

// A call notes that the handler has logged the call.
type call struct {
	path   string
	logged atomic.Bool
}

// TagRPC implements [stats.Handler].
func (rejections) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, callMark{}, &call{path: info.FullMethodName})
}

// HandleRPC implements [stats.Handler].
func (h rejections) HandleRPC(ctx context.Context, s stats.RPCStats) {
	end, ok := s.(*stats.End)
	mark, marked := ctx.Value(callMark{}).(*call)
	if !ok || !marked || mark.logged.Load() {
		return
	}
	r := requestOf(ctx, kindOfPath(mark.path))
	number := h.c.log(r)
	h.c.logAnswer(number, status.Code(end.Error), 0)
}

// TagConn implements [stats.Handler].
func (rejections) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn implements [stats.Handler].
func (rejections) HandleConn(context.Context, stats.ConnStats) {}
