// The messages: compiled from the .proto file when a collector starts, and
// handled by the protobuf library, so that no line of this decoder is shared
// with the encoder that it judges.

package collector

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

//go:embed scavenger.proto
var protoSource string

// A schema holds the descriptors of scavenger.proto.
type schema struct {
	file protoreflect.FileDescriptor
}

// compileSchema compiles the embedded scavenger.proto.
func compileSchema() (*schema, error) {
	const name = "scavenger.proto"
	compiler := protocompile.Compiler{
		Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
			Accessor: protocompile.SourceAccessorFromMap(map[string]string{name: protoSource}),
		}),
	}
	files, err := compiler.Compile(context.Background(), name)
	if err != nil {
		return nil, fmt.Errorf("compiling %s: %w", name, err)
	}
	return &schema{file: files[0]}, nil
}

// newMessage returns an empty message of the named top-level type.
func (s *schema) newMessage(name protoreflect.Name) *dynamicpb.Message {
	return dynamicpb.NewMessage(s.file.Messages().ByName(name))
}

// A PollRequest is a decoded GetConfigRequest.
type PollRequest struct {
	APIKey string
	UUID   string
}

// Common is a decoded CommonPublicationData.
type Common struct {
	APIKey            string
	AppName           string
	AppVersion        string
	Fingerprint       string
	Environment       string
	Hostname          string
	StartedAtMillis   int64
	UUID              string
	PublishedAtMillis int64
}

// An Entry is a decoded CodeBaseEntry.
type Entry struct {
	DeclaringType  string
	Visibility     string
	Signature      string
	MethodName     string
	Modifiers      string
	PackageName    string
	ParameterTypes string
	Hash           string
}

// A CodebasePublication is a decoded CodeBasePublication. Common is nil if
// the message had none.
type CodebasePublication struct {
	Common  *Common
	Entries []Entry
}

// An InvocationPublication is a decoded InvocationDataPublication. Common is
// nil if the message had none.
type InvocationPublication struct {
	Common                *Common
	Hashes                []string
	IntervalStartedMillis int64
}

// A fieldReader reads fields by name and notes whether the message had any
// that the schema does not know. The real collector skips those silently.
type fieldReader struct {
	unknown bool
}

func (r *fieldReader) value(m protoreflect.Message, name protoreflect.Name) protoreflect.Value {
	return m.Get(m.Descriptor().Fields().ByName(name))
}

func (r *fieldReader) text(m protoreflect.Message, name protoreflect.Name) string {
	return r.value(m, name).String()
}

func (r *fieldReader) note(m protoreflect.Message) {
	r.unknown = r.unknown || len(m.GetUnknown()) > 0
}

// unmarshal decodes data as the named message.
func (s *schema) unmarshal(name protoreflect.Name, data []byte) (protoreflect.Message, error) {
	m := s.newMessage(name)
	if err := proto.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("decoding %s: %w", name, err)
	}
	return m, nil
}

func (s *schema) decodePoll(data []byte) (p *PollRequest, unknown bool, err error) {
	m, err := s.unmarshal("GetConfigRequest", data)
	if err != nil {
		return nil, false, err
	}
	var r fieldReader
	r.note(m)
	return &PollRequest{APIKey: r.text(m, "api_key"), UUID: r.text(m, "jvm_uuid")}, r.unknown, nil
}

func (s *schema) decodeCodebase(data []byte) (p *CodebasePublication, unknown bool, err error) {
	m, err := s.unmarshal("CodeBasePublication", data)
	if err != nil {
		return nil, false, err
	}
	var r fieldReader
	r.note(m)
	p = &CodebasePublication{Common: r.common(m)}
	list := r.value(m, "entry").List()
	for i := range list.Len() {
		e := list.Get(i).Message()
		r.note(e)
		p.Entries = append(p.Entries, Entry{
			DeclaringType:  r.text(e, "declaring_type"),
			Visibility:     r.text(e, "visibility"),
			Signature:      r.text(e, "signature"),
			MethodName:     r.text(e, "method_name"),
			Modifiers:      r.text(e, "modifiers"),
			PackageName:    r.text(e, "package_name"),
			ParameterTypes: r.text(e, "parameter_types"),
			Hash:           r.text(e, "signature_hash"),
		})
	}
	return p, r.unknown, nil
}

func (s *schema) decodeInvocations(data []byte) (p *InvocationPublication, unknown bool, err error) {
	m, err := s.unmarshal("InvocationDataPublication", data)
	if err != nil {
		return nil, false, err
	}
	var r fieldReader
	r.note(m)
	p = &InvocationPublication{
		Common:                r.common(m),
		IntervalStartedMillis: r.value(m, "recording_interval_started_at_millis").Int(),
	}
	list := r.value(m, "entry").List()
	for i := range list.Len() {
		e := list.Get(i).Message()
		r.note(e)
		p.Hashes = append(p.Hashes, r.text(e, "hash"))
	}
	return p, r.unknown, nil
}

// common reads the common part of a publication, nil if there is none.
func (r *fieldReader) common(m protoreflect.Message) *Common {
	if !m.Has(m.Descriptor().Fields().ByName("common_data")) {
		return nil
	}
	d := r.value(m, "common_data").Message()
	r.note(d)
	return &Common{
		APIKey:            r.text(d, "api_key"),
		AppName:           r.text(d, "app_name"),
		AppVersion:        r.text(d, "app_version"),
		Fingerprint:       r.text(d, "code_base_fingerprint"),
		Environment:       r.text(d, "environment"),
		Hostname:          r.text(d, "hostname"),
		StartedAtMillis:   r.value(d, "jvm_started_at_millis").Int(),
		UUID:              r.text(d, "jvm_uuid"),
		PublishedAtMillis: r.value(d, "published_at_millis").Int(),
	}
}

// encodeConfig encodes the answer to a poll.
func (s *schema) encodeConfig(a intervals) ([]byte, error) {
	m := s.newMessage("GetConfigResponse")
	for name, seconds := range map[protoreflect.Name]int{
		"config_poll_interval_seconds":                     a.poll,
		"config_poll_retry_interval_seconds":               a.pollRetry,
		"code_base_publisher_check_interval_seconds":       a.codebase,
		"code_base_publisher_retry_interval_seconds":       a.codebaseRetry,
		"invocation_data_publisher_interval_seconds":       a.invocations,
		"invocation_data_publisher_retry_interval_seconds": a.invocationsRetry,
	} {
		m.Set(m.Descriptor().Fields().ByName(name), protoreflect.ValueOfInt32(int32(seconds)))
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

// encodeOK encodes the answer to a publication.
func (s *schema) encodeOK() ([]byte, error) {
	m := s.newMessage("PublicationResponse")
	m.Set(m.Descriptor().Fields().ByName("status"), protoreflect.ValueOfString("OK"))
	return proto.Marshal(m)
}
