//go:build !nonetwork

// A collector after the contract. It decodes with parseProto and stores as the real one
// does: after the answer, and in steps that can interleave.

package hitrt

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// A fakeCall is one call that the collector got.
type fakeCall struct {
	at      time.Time
	method  string
	message protoMessage
	common  protoMessage
	size    int
}

// A fakeCollector stands for the collector's HTTP and gRPC endpoints.
type fakeCollector struct {
	intervals [6]int64 // of PollConfig's answers

	// fault, if it returns true, has answered in place of the collector. While a process
	// runs, setFault sets it.
	fault func(w http.ResponseWriter, r *http.Request, method string) bool

	// delays of the import after the answer: until it begins, and between
	// looking for a row and adding it.
	codebaseDelay, hitsDelay, hitsGap time.Duration

	// crashed, if it returns true, loses what was accepted before it is stored;
	// broken loses it when the fingerprint is stored already.
	crashed, broken func(call fakeCall) bool

	mu           sync.Mutex
	calls        []fakeCall
	named        string // the fingerprint that the process named last
	fingerprints map[string]bool
	rows         map[string]int64 // invokedAtMillis by hash; 0 = never invoked
	methods      map[string]bool
}

func newFake() *fakeCollector {
	return &fakeCollector{
		intervals:    [6]int64{120, 120, 120, 120, 120, 120},
		fingerprints: map[string]bool{}, rows: map[string]int64{}, methods: map[string]bool{},
	}
}

// grpcStatus answers with a status and no message.
func grpcStatus(w http.ResponseWriter, code int) {
	w.Header().Set("Content-Type", "application/grpc+proto")
	w.Header().Set("Grpc-Status", fmt.Sprint(code))
}

func (f *fakeCollector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	method := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	call := fakeCall{at: time.Now(), method: method, size: len(body)}
	f.mu.Lock()
	fault, crashed := f.fault, f.crashed
	f.mu.Unlock()
	var failed bool
	if err != nil {
		grpcStatus(w, 13)
	} else if fault != nil && fault(w, r, method) {
		failed = true
	}
	if method == "initConfig" {
		f.record(call)
		if !failed {
			_, _ = fmt.Fprintf(w, `{"collectorUrl": %q, "new": [1]}`, r.Host)
		}
		return
	}
	if failed || err != nil {
		f.record(call)
		return
	}
	var answer []byte
	call.message, call.common, answer, err = f.grpc(r, method, body)
	f.record(call)
	if err == nil && call.common != nil && (crashed == nil || !crashed(call)) {
		f.store(call)
	}
	if err != nil {
		w.Header().Set("Grpc-Message", err.Error())
		grpcStatus(w, 3)
		return
	}
	w.Header().Set("Content-Type", "application/grpc+proto")
	w.Header().Set("Trailer", "Grpc-Status")
	_, _ = w.Write(frame(append(newMessage(0), answer...)))
	w.Header().Set("Grpc-Status", "0")
}

// setFault sets fault. It also ends crashed.
func (f *fakeCollector) setFault(fault func(w http.ResponseWriter, r *http.Request, method string) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.crashed = fault, nil
}

func (f *fakeCollector) record(call fakeCall) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call)
}

// grpc checks a request as the collector does and returns the answer.
func (f *fakeCollector) grpc(r *http.Request, method string, body []byte) (m, common protoMessage, answer []byte, err error) {
	switch {
	case r.Method != "POST" || r.ProtoMajor != 2 || r.URL.Path != "/GrpcAgentService/"+method:
		return nil, nil, nil, fmt.Errorf("%s %s %s", r.Method, r.URL.Path, r.Proto)
	case r.Header.Get("Content-Type") != "application/grpc+proto" || r.Header.Get("Te") != "trailers" || r.Header.Get("Grpc-Timeout") == "":
		return nil, nil, nil, fmt.Errorf("headers %v", r.Header)
	case len(body) < 5 || body[0] != 0 || int(binary.BigEndian.Uint32(body[1:])) != len(body)-5:
		return nil, nil, nil, fmt.Errorf("bad frame of %d bytes", len(body))
	case len(body)-5 > 10<<20:
		return nil, nil, nil, fmt.Errorf("message of %d bytes", len(body)-5)
	}
	t := new(testing.T)
	m = parseProto(t, body[5:])
	if method == "PollConfig" {
		if m.text(1) != testKey || len(m.text(2)) != 36 {
			return m, nil, nil, fmt.Errorf("poll with a key of %d bytes", len(m.text(1)))
		}
		for i, v := range f.intervals {
			answer = appendInt(answer, i+1, v)
		}
		return m, nil, answer, nil
	}
	common = parseProto(t, []byte(m.text(1)))
	for field, limit := range map[int]int{1: 40, 2: 255, 3: 80, 4: 200, 5: 255, 6: 255, 8: 40} {
		if n := len(common.text(field)); n == 0 || n > limit {
			return m, common, nil, fmt.Errorf("common field %d has %d bytes", field, n)
		}
	}
	if common.integer(7) < 1490000000000 || common.integer(9) < 1490000000000 {
		return m, common, nil, fmt.Errorf("times %d, %d", common.integer(7), common.integer(9))
	}
	switch method {
	case "SendCodeBasePublication":
		for _, raw := range m.all(2) {
			entry := parseProto(t, []byte(raw))
			hash, sig := entry.text(8), entry.text(3)
			if len(hash) != 32 || !strings.HasPrefix(sig, entry.text(1)+"."+entry.text(4)+"(") || entry.text(2) == "" {
				err = fmt.Errorf("entry %q", entry)
			}
		}
	case "SendInvocationDataPublication":
		if start := m.integer(3); start <= 0 {
			err = fmt.Errorf("interval start %d", start)
		}
	default:
		err = fmt.Errorf("method %s", method)
	}
	return m, common, []byte("\x0a\x02OK"), err
}

// store imports a publication, later.
func (f *fakeCollector) store(call fakeCall) {
	f.mu.Lock()
	f.named = call.common.text(4)
	f.mu.Unlock()
	if call.method == "SendCodeBasePublication" {
		go f.storeCodebase(call)
	} else {
		go f.storeHits(call.message)
	}
}

func (f *fakeCollector) storeCodebase(call fakeCall) {
	time.Sleep(f.codebaseDelay)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fingerprints[call.common.text(4)] {
		return
	}
	f.fingerprints[call.common.text(4)] = true
	if f.broken != nil && f.broken(call) {
		return
	}
	for _, raw := range call.message.all(2) {
		hash := parseProto(new(testing.T), []byte(raw)).text(8)
		f.methods[hash] = true
		if _, ok := f.rows[hash]; !ok {
			f.rows[hash] = 0
		}
	}
}

func (f *fakeCollector) storeHits(m protoMessage) {
	time.Sleep(f.hitsDelay)
	start := m.integer(3)
	var missing []string
	f.mu.Lock()
	for _, raw := range m.all(2) {
		hash := parseProto(new(testing.T), []byte(raw)).text(1)
		if old, ok := f.rows[hash]; ok {
			f.rows[hash] = max(old, start)
		} else {
			missing = append(missing, hash)
		}
	}
	f.mu.Unlock()
	time.Sleep(f.hitsGap)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, hash := range missing {
		if _, ok := f.rows[hash]; !ok {
			f.rows[hash] = start
		}
	}
}

// sweep is the hourly job: fingerprints that no process named last are forgotten.
func (f *fakeCollector) sweep() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fingerprints = map[string]bool{f.named: f.fingerprints[f.named]}
}

// got returns the calls of a method so far; "" = of any.
func (f *fakeCollector) got(method string) (list []fakeCall) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, call := range f.calls {
		if method == "" || call.method == method {
			list = append(list, call)
		}
	}
	return list
}

// invokedAt is when a function was last invoked; 0 = never, -1 = unknown.
func (f *fakeCollector) invokedAt(hash string) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if at, ok := f.rows[hash]; ok && f.methods[hash] {
		return at
	}
	return -1
}

// RoundTrip lets the collector stand in for the network as well.
func (f *fakeCollector) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	r.ProtoMajor, r.Proto, r.Host = 2, "HTTP/2.0", r.URL.Host
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resp := w.Result()
	resp.ProtoMajor, resp.Request = 2, r
	return resp, nil
}
