//go:build !nonetwork

// The protobuf encoding of the messages to and from the collector. It is written by
// hand: a protobuf module would collide with the program's own version of it.

package hitrt

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
)

// frameSize is the size of gRPC's frame header before a message: one byte that says
// whether it is compressed, and four with its length. Messages are built with room for
// it, so that megabytes need not be copied.
const frameSize = 5

// newMessage returns a message without fields, with room for the frame header.
func newMessage(size int) []byte {
	return make([]byte, frameSize, frameSize+size)
}

// frame fills in the frame header.
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

// appendString appends a field, unless it is empty, which absence means.
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

// common holds the fields of CommonPublicationData.
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

// newInvocations returns an invocation publication without hits, with room for some.
func newInvocations(start int64, common []byte, hits int) []byte {
	b := newMessage(32 + len(common) + hits*hitSize)
	return appendBytes(appendInt(b, 3, start), 1, common)
}

// hitSize is the encoded size of a hit in an invocation publication.
const hitSize = 2 + 2 + 32

// appendHit appends one InvocationDataEntry.
func appendHit(b []byte, hash [16]byte) []byte {
	b = append(b, 2<<3|wireBytes, 2+32, 1<<3|wireBytes, 32)
	return hex.AppendEncode(b, hash[:])
}

// encodeConfigRequest returns a GetConfigRequest.
func encodeConfigRequest(apiKey, process string) []byte {
	b := appendString(newMessage(128), 1, apiKey)
	return appendString(b, 2, process)
}

// intervals holds the fields of GetConfigResponse: how long to wait after a success
// and after a failure, in seconds.
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

// decodeStatus returns the status of a PublicationResponse.
func decodeStatus(b []byte) (string, error) {
	status := ""
	err := decode(b, func(field, wire int, _ uint64, data []byte) {
		if field == 1 && wire == wireBytes {
			status = string(data)
		}
	})
	return status, err
}

// decode calls each with every field of a message: with number for numeric fields,
// with data for the others. Callers ignore the fields that a newer collector may send.
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
			return errors.New("message with a group, or not protobuf")
		}
		each(field, wire, number, data)
	}
	return nil
}
