package hitrt

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A sink is a collector that takes everything and looks at nothing.
type sink struct{ bytes int64 }

func (s *sink) RoundTrip(r *http.Request) (*http.Response, error) {
	body, header := "\x00\x00\x00\x00\x04\x0a\x02OK", http.Header{"Content-Type": {"application/grpc"}}
	switch {
	case r.Method == http.MethodGet:
		body = `{"collectorUrl":"collector:8080"}`
	case strings.HasSuffix(r.URL.Path, "PollConfig"):
		body = "\x00\x00\x00\x00\x00"
	}
	if r.Body != nil {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			return nil, err
		}
		s.bytes += n
	}
	return &http.Response{StatusCode: 200, ProtoMajor: 2, Header: header, Trailer: http.Header{"Grpc-Status": {"0"}},
		Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

var benchSizes = []int{1_000, 10_000, 100_000, 500_000}

// BenchmarkCollect is one collection pass in which a tenth of the functions was
// hit, with a collector and with local files.
func BenchmarkCollect(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprintf("functions=%d", n), func(b *testing.B) {
			prog := newProgram(n)
			before := heap()
			pub, _ := newTestPublisher(prog, &sink{}, toCollector("SCAVENGER_DATA_DIR="+newDataDir(b))...)
			pub.prepare()
			held := float64(heap()-before) / float64(n)
			pub.checkpoint()
			for b.Loop() {
				b.StopTimer()
				for i := 0; i < n; i += 10 {
					prog.call(i)
				}
				b.StartTimer()
				pub.checkpoint()
			}
			b.ReportMetric(held, "heap-B/function")
			pub.die()
		})
	}
}

// BenchmarkPublish is all that a process sends at first: the codebase and a hit
// of each function, twice.
func BenchmarkPublish(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprintf("functions=%d", n), func(b *testing.B) {
			prog := newProgram(n)
			var sent int64
			var held uint64
			for b.Loop() {
				b.StopTimer()
				for i := range n {
					prog.call(i)
				}
				before := heap()
				network := &sink{}
				pub, messages := newTestPublisher(prog, network, toCollector("SCAVENGER_EXIT_TIMEOUT=5m")...)
				pub.prepare()
				pub.deadline = time.Now().Add(time.Hour)
				close(pub.exiting)
				b.StartTimer()
				pub.exporter.finish()
				b.StopTimer()
				if sent = network.bytes; messages.String() != "" {
					b.Fatal(messages)
				}
				held = heap() - before
				runtime.KeepAlive(pub)
				b.StartTimer()
			}
			b.ReportMetric(float64(sent), "sent-B")
			b.ReportMetric(float64(held), "held-B")
		})
	}
}

// BenchmarkStart is what a program with local files waits for when it starts:
// for the first time, and then. The link action has made the fingerprint. In
// order, all functions are observable; otherwise one in ten is not.
func BenchmarkStart(b *testing.B) {
	for _, n := range benchSizes {
		for _, ordered := range []bool{true, false} {
			prog := newProgram(n)
			prog.Fingerprint = fmt.Sprint(n)
			for i := range prog.Packages {
				if ordered {
					inOrder(&prog.Packages[i])
				}
			}
			dir := newDataDir(b)
			for _, again := range []bool{false, true} {
				b.Run(fmt.Sprintf("functions=%d/ordered=%v/again=%v", n, ordered, again), func(b *testing.B) {
					benchmarkStart(b, prog, dir, again)
				})
			}
		}
	}
}

func benchmarkStart(b *testing.B, prog *Program, dir string, again bool) {
	for b.Loop() {
		if !again {
			b.StopTimer()
			if err := os.RemoveAll(dir); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
		pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
		begun := make(chan struct{})
		go func() {
			pub.begin()
			close(begun)
		}()
		<-pub.ready
		b.StopTimer()
		<-begun
		pub.die()
		b.StartTimer()
	}
}
