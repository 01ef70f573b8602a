//go:build !nonetwork

package hitrt

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"strings"
	"testing"
)

// A protoMessage is a message as a decoder sees it that shares no code with
// the package: fields in order, varints as uint64, the rest as string.
type protoMessage []protoField

type protoField struct {
	number int
	value  any
}

// parseProto decodes a message that has varint and length-delimited fields.
func parseProto(t testing.TB, b []byte) protoMessage {
	t.Helper()
	varint := func() (v uint64) {
		for shift := 0; ; shift += 7 {
			if len(b) == 0 || shift > 63 {
				t.Fatalf("bad varint")
			}
			c := b[0]
			b = b[1:]
			v |= uint64(c&0x7f) << shift
			if c < 0x80 {
				return v
			}
		}
	}
	var m protoMessage
	for len(b) > 0 {
		key := varint()
		switch key % 8 {
		case 0:
			m = append(m, protoField{int(key / 8), varint()})
		case 2:
			n := int(varint())
			if n > len(b) {
				t.Fatalf("field of %d bytes, %d left", n, len(b))
			}
			m = append(m, protoField{int(key / 8), string(b[:n])})
			b = b[n:]
		default:
			t.Fatalf("wire type %d", key%8)
		}
	}
	return m
}

func (m protoMessage) text(number int) string {
	for _, f := range m {
		if s, ok := f.value.(string); ok && f.number == number {
			return s
		}
	}
	return ""
}

func (m protoMessage) integer(number int) int64 {
	for _, f := range m {
		if v, ok := f.value.(uint64); ok && f.number == number {
			return int64(v)
		}
	}
	return 0
}

func (m protoMessage) all(number int) (list []string) {
	for _, f := range m {
		if s, ok := f.value.(string); ok && f.number == number {
			list = append(list, s)
		}
	}
	return list
}

func TestFrame(t *testing.T) {
	message := appendString(newMessage(0), 1, "abc")
	want := []byte{0, 0, 0, 0, 5, 0x0a, 3, 'a', 'b', 'c'}
	if got := frame(message); !bytes.Equal(got, want) {
		t.Errorf("frame = %v, want %v", got, want)
	}
}

func TestDecodeIntervals(t *testing.T) {
	var b []byte
	for field, v := range []int64{10, 20, 30, 40, 50, 60} {
		b = appendInt(b, field+1, v)
	}
	b = appendString(b, 7, "from a newer collector")
	b = append(b, 8<<3|wire64, 1, 2, 3, 4, 5, 6, 7, 8)
	b = append(b, 9<<3|wire32, 1, 2, 3, 4)
	got, err := decodeIntervals(b)
	if want := (intervals{10, 20, 30, 40, 50, 60}); err != nil || got != want {
		t.Errorf("decodeIntervals = %+v, %v, want %+v", got, err, want)
	}
}

func TestDecodeBad(t *testing.T) {
	for name, b := range map[string][]byte{
		"field_0":          {0, 1},
		"group":            {1<<3 | 3, 1<<3 | 4},
		"varint_truncated": {1 << 3, 0x80},
		"varint_too_long":  append([]byte{1 << 3}, bytes.Repeat([]byte{0xff}, 11)...),
		"bytes_truncated":  {1<<3 | 2, 5, 'a'},
		"bytes_huge":       append([]byte{1<<3 | 2}, binary.AppendUvarint(nil, 1<<63)...),
		"no_length":        {1<<3 | 2},
		"fixed64":          {1<<3 | 1, 1, 2, 3},
		"fixed32":          {1<<3 | 5, 1, 2, 3},
		"html":             []byte("<html><body>502 Bad Gateway</body></html>"),
	} {
		if _, err := decodeStatus(b); err == nil {
			t.Errorf("%s: decodeStatus(%q) has no error", name, b)
		}
	}
}

// FuzzWire encodes what the fuzzer gives and reads it with the test's own
// decoder; and decodes what the fuzzer gives, which must not panic.
func FuzzWire(f *testing.F) {
	f.Add("key", "app", "<default>", int64(1490000000000), []byte{0x0a, 2, 'O', 'K'})
	f.Add("", "日本", strings.Repeat("x", 300), int64(-1), []byte{8, 0x80})
	f.Fuzz(func(t *testing.T, key, app, environment string, millis int64, raw []byte) {
		c := common{apiKey: key, appName: app, appVersion: "1", fingerprint: "f", environment: environment,
			hostname: "h", startedAt: millis, process: "p", publishedAt: millis}
		m := parseProto(t, c.encode())
		got := common{m.text(1), m.text(2), m.text(3), m.text(4), m.text(5), m.text(6), m.integer(7), m.text(8), m.integer(9)}
		if !reflect.DeepEqual(got, c) {
			t.Errorf("decoded %+v, want %+v", got, c)
		}
		request := parseProto(t, encodeConfigRequest(key, app)[frameSize:])
		if request.text(1) != key || request.text(2) != app {
			t.Errorf("decoded %q, want %q and %q", request, key, app)
		}
		hash := md5Sum(raw)
		hit := appendHit(nil, hash)
		entry := parseProto(t, []byte(parseProto(t, hit).text(2)))
		if len(hit) != hitSize || entry.text(1) != hexOf(hash) {
			t.Errorf("hit %q of %d bytes, want %s in %d", entry, len(hit), hexOf(hash), hitSize)
		}
		if _, err := decodeIntervals(raw); err != nil {
			if _, err := decodeStatus(raw); err == nil {
				t.Errorf("decodeIntervals and decodeStatus disagree on %q", raw)
			}
		}
	})
}
