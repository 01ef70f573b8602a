package hitrt

// The protobuf encoding of the messages that go to the collector and come back,
// by hand: any protobuf module would collide with the version that the program
// has of it.

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
)

// frameSize is the length of what gRPC puts before a message: a byte that says
// whether it is compressed, and its length in four. Messages are built with room
// for it, so that several megabytes need not be copied.
const frameSize = 5

// newMessage returns a message with no fields yet.
func newMessage(size int) []byte {
	return make([]byte, frameSize, frameSize+size)
}

// frame fills in what goes before the message.
func frame(message []byte) []byte {
	message[0] = 0
	binary.BigEndian.PutUint32(message[1:], uint32(len(message)-frameSize))
	return message
}

// Wire types.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

// appendString appends a field, unless it has the value that absence means.
func appendString(b []byte, field int, s string) []byte {
	if s == "" {
		return b
	}
	b = binary.AppendUvarint(b, uint64(field<<3|wireBytes))
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// appendBytes appends a field even if it is empty.
func appendBytes(b []byte, field int, s []byte) []byte {
	b = binary.AppendUvarint(b, uint64(field<<3|wireBytes))
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendInt(b []byte, field int, v int64) []byte {
	if v == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(field<<3|wireVarint))
	return binary.AppendUvarint(b, uint64(v))
}

// common is CommonPublicationData.
type common struct {
	apiKey, appName, appVersion string
	fingerprint                 string
	environment, hostname       string
	startedAt                   int64 // Unix milliseconds
	process                     string
	publishedAt                 int64
}

func (c common) encode() []byte {
	b := appendString(nil, 1, c.apiKey)
	b = appendString(b, 2, c.appName)
	b = appendString(b, 3, c.appVersion)
	b = appendString(b, 4, c.fingerprint)
	b = appendString(b, 5, c.environment)
	b = appendString(b, 6, c.hostname)
	b = appendInt(b, 7, c.startedAt)
	b = appendString(b, 8, c.process)
	return appendInt(b, 9, c.publishedAt)
}

// hitSize is the encoded size of a hit in an invocation publication.
const hitSize = 2 + 2 + 32

// appendHit appends one InvocationDataEntry.
func appendHit(b []byte, hash [16]byte) []byte {
	b = append(b, 2<<3|wireBytes, 2+32, 1<<3|wireBytes, 32)
	return hex.AppendEncode(b, hash[:])
}

// encodeConfigRequest is a GetConfigRequest.
func encodeConfigRequest(apiKey, process string) []byte {
	b := appendString(newMessage(128), 1, apiKey)
	return appendString(b, 2, process)
}

// intervals is GetConfigResponse: how long to wait after a success and after a
// failure, in seconds.
type intervals struct {
	poll, pollRetry             int32
	codebase, codebaseRetry     int32
	invocation, invocationRetry int32
}

func decodeIntervals(b []byte) (intervals, error) {
	var v intervals
	to := [...]*int32{&v.poll, &v.pollRetry, &v.codebase, &v.codebaseRetry, &v.invocation, &v.invocationRetry}
	err := decode(b, func(field, wire int, number uint64, _ []byte) {
		if wire == wireVarint && field >= 1 && field <= len(to) {
			*to[field-1] = int32(number)
		}
	})
	return v, err
}

// decodeStatus reads the status of a PublicationResponse.
func decodeStatus(b []byte) (string, error) {
	status := ""
	err := decode(b, func(field, wire int, _ uint64, data []byte) {
		if field == 1 && wire == wireBytes {
			status = string(data)
		}
	})
	return status, err
}

// decode calls each with every field of a message: number for numeric ones,
// data for the others. Fields that a newer collector may send are skipped by
// not being asked for.
func decode(b []byte, each func(field, wire int, number uint64, data []byte)) error {
	errTruncated := errors.New("truncated message")
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		if n <= 0 || key>>3 == 0 || key>>3 > 1<<29-1 {
			return errTruncated
		}
		b = b[n:]
		field, wire := int(key>>3), int(key&7)
		var number uint64
		var data []byte
		switch wire {
		case wireVarint:
			if number, n = binary.Uvarint(b); n <= 0 {
				return errTruncated
			}
			b = b[n:]
		case wire64:
			if len(b) < 8 {
				return errTruncated
			}
			number, b = binary.LittleEndian.Uint64(b), b[8:]
		case wire32:
			if len(b) < 4 {
				return errTruncated
			}
			number, b = uint64(binary.LittleEndian.Uint32(b)), b[4:]
		case wireBytes:
			size, n := binary.Uvarint(b)
			if n <= 0 || size > uint64(len(b)-n) {
				return errTruncated
			}
			data, b = b[n:n+int(size)], b[n+int(size):]
		default:
			return errors.New("message with a group, or no protobuf message")
		}
		each(field, wire, number, data)
	}
	return nil
}
