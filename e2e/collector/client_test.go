// The client of these tests: grpc-go with dynamic messages.

package collector

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// start starts a collector that ends with the test.
func start(t *testing.T, o Options) *Collector {
	t.Helper()
	c, err := Start(o)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(c.Close)
	return c
}

// patience is how long tests wait for what has to come, on a machine however busy.
const patience = 2 * time.Minute

// testContext bounds what a test waits for.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

type client struct {
	t    *testing.T
	c    *Collector
	conn *grpc.ClientConn
}

func dial(t *testing.T, c *Collector, options ...grpc.DialOption) *client {
	t.Helper()
	if len(options) == 0 {
		options = []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	}
	conn, err := grpc.NewClient(c.Addr(), options...)
	if err != nil {
		t.Fatalf("NewClient: %v", err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{t, c, conn}
}

func setField(m *dynamicpb.Message, name string, value any) {
	m.Set(m.Descriptor().Fields().ByName(protoreflect.Name(name)), protoreflect.ValueOf(value))
}

func (cl *client) invoke(ctx context.Context, method string, in, out proto.Message) error {
	return cl.conn.Invoke(ctx, "/GrpcAgentService/"+method, in, out)
}

// poll polls and returns the answer's fields in order.
func (cl *client) poll(apiKey, uuid string) ([]int, error) {
	cl.t.Helper()
	in, out := cl.c.schema.newMessage("GetConfigRequest"), cl.c.schema.newMessage("GetConfigResponse")
	setField(in, "api_key", apiKey)
	setField(in, "jvm_uuid", uuid)
	if err := cl.invoke(testContext(cl.t), "PollConfig", in, out); err != nil {
		return nil, err
	}
	var numbers []int
	for i := 1; i <= 6; i++ {
		fd := out.Descriptor().Fields().ByNumber(protoreflect.FieldNumber(i))
		numbers = append(numbers, int(out.Get(fd).Int()))
	}
	return numbers, nil
}

func (cl *client) commonMessage(d Common) *dynamicpb.Message {
	m := cl.c.schema.newMessage("CommonPublicationData")
	setField(m, "api_key", d.APIKey)
	setField(m, "app_name", d.AppName)
	setField(m, "app_version", d.AppVersion)
	setField(m, "code_base_fingerprint", d.Fingerprint)
	setField(m, "environment", d.Environment)
	setField(m, "hostname", d.Hostname)
	setField(m, "jvm_started_at_millis", d.StartedAtMillis)
	setField(m, "jvm_uuid", d.UUID)
	setField(m, "published_at_millis", d.PublishedAtMillis)
	return m
}

func (cl *client) codebaseMessage(d *Common, entries []Entry) *dynamicpb.Message {
	m := cl.c.schema.newMessage("CodeBasePublication")
	if d != nil {
		setField(m, "common_data", cl.commonMessage(*d).ProtoReflect())
	}
	list := m.Mutable(m.Descriptor().Fields().ByName("entry")).List()
	for _, e := range entries {
		em := dynamicpb.NewMessage(m.Descriptor().Messages().ByName("CodeBaseEntry"))
		for name, value := range map[string]string{
			"declaring_type": e.DeclaringType, "visibility": e.Visibility, "signature": e.Signature,
			"method_name": e.MethodName, "modifiers": e.Modifiers, "package_name": e.PackageName,
			"parameter_types": e.ParameterTypes, "signature_hash": e.Hash,
		} {
			setField(em, name, value)
		}
		list.Append(protoreflect.ValueOfMessage(em))
	}
	return m
}

func (cl *client) invocationMessage(d *Common, started int64, hashes []string) *dynamicpb.Message {
	m := cl.c.schema.newMessage("InvocationDataPublication")
	if d != nil {
		setField(m, "common_data", cl.commonMessage(*d).ProtoReflect())
	}
	setField(m, "recording_interval_started_at_millis", started)
	list := m.Mutable(m.Descriptor().Fields().ByName("entry")).List()
	for _, hash := range hashes {
		em := dynamicpb.NewMessage(m.Descriptor().Messages().ByName("InvocationDataEntry"))
		setField(em, "hash", hash)
		list.Append(protoreflect.ValueOfMessage(em))
	}
	return m
}

func (cl *client) send(method string, in proto.Message) error {
	cl.t.Helper()
	out := cl.c.schema.newMessage("PublicationResponse")
	if err := cl.invoke(testContext(cl.t), method, in, out); err != nil {
		return err
	}
	if got := out.Get(out.Descriptor().Fields().ByName("status")).String(); got != "OK" {
		return fmt.Errorf("status is %q", got)
	}
	return nil
}

func (cl *client) codebase(d Common, entries ...Entry) error {
	cl.t.Helper()
	return cl.send("SendCodeBasePublication", cl.codebaseMessage(&d, entries))
}

func (cl *client) invocations(d Common, started int64, hashes ...string) error {
	cl.t.Helper()
	return cl.send("SendInvocationDataPublication", cl.invocationMessage(&d, started, hashes))
}

// good does what a good process does first: it polls, sends a codebase and
// invocations, one after the other is imported.
func (cl *client) good(d Common, started int64, entries []Entry, hashes ...string) {
	cl.t.Helper()
	if _, err := cl.poll(d.APIKey, d.UUID); err != nil {
		cl.t.Fatalf("poll: %v", err)
	}
	if err := cl.codebase(d, entries...); err != nil {
		cl.t.Fatalf("codebase: %v", err)
	}
	cl.imported()
	if err := cl.invocations(d, started, hashes...); err != nil {
		cl.t.Fatalf("invocations: %v", err)
	}
	cl.imported()
}

func (cl *client) imported() {
	cl.t.Helper()
	if err := cl.c.WaitImported(testContext(cl.t)); err != nil {
		cl.t.Fatalf("WaitImported: %v", err)
	}
}

// someTime is a whole minute plus a bit, in milliseconds.
const someTime = 1_760_000_040_000 + 12_345

func nowAtSomeTime() time.Time { return time.UnixMilli(someTime) }

func someCommon() Common {
	return Common{
		APIKey: DemoKey, AppName: "shop", AppVersion: "1.0", Fingerprint: "f1", Environment: "test",
		Hostname: "host", StartedAtMillis: someTime - 60_000, UUID: "uuid-1", PublishedAtMillis: someTime,
	}
}

// entry makes a good entry of a declaring type, a method and parameters.
func entry(declaringType, method, parameters string) Entry {
	hash := md5.Sum([]byte(declaringType + "." + method))
	return Entry{
		DeclaringType: declaringType, Visibility: "public", Modifiers: "public", MethodName: method,
		Signature: declaringType + "." + method + "(" + parameters + ")", ParameterTypes: parameters,
		Hash: hex.EncodeToString(hash[:]),
	}
}

// entries makes n good entries.
func someEntries(n int) []Entry {
	var list []Entry
	for i := range n {
		list = append(list, entry("github.com.acme.shop.func", fmt.Sprintf("F%04d", i), "int"))
	}
	return list
}

func wantCode(t *testing.T, what string, err error, want codes.Code) {
	t.Helper()
	if got := status.Code(err); got != want {
		t.Errorf("%s: got code %v (%v), want %v", what, got, err, want)
	}
}

// wantRules checks which rules were broken.
func wantRules(t *testing.T, c *Collector, want ...string) {
	t.Helper()
	var got []string
	for _, v := range c.Violations() {
		got = append(got, v.Rule)
	}
	if strings.Join(got, ",") != strings.Join(want, ",") {
		t.Errorf("broken rules: got %q, want %q:\n%v", got, want, c.Violations())
	}
}

// used lists the method names that are used.
func used(list []Function) string {
	var names []string
	for _, f := range list {
		if f.Used {
			names = append(names, f.MethodName)
		}
	}
	return strings.Join(names, " ")
}
