// A program with marks and a publisher of it, which all tests share.

package hitrt

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"
)

// hang is more than anything takes that ends by itself, on a machine that is busy
// with other things. What has to end at a certain time is tested in bubbles, where
// time is what the program makes of it.
const hang = time.Minute

const testKey = "4c94e0dd-ad04-4b17-9238-f46bba75c684"

func bytesOf(words []uint64) []uint8 {
	return unsafe.Slice((*uint8)(unsafe.Pointer(&words[0])), 8*len(words))
}

func hexOf(hash [16]byte) string { return hex.EncodeToString(hash[:]) }

// newProgram returns a program with n functions in packages of 30. Every tenth
// entry is followed by a function that is not observable.
func newProgram(n int) *Program {
	p := &Program{Main: "example.com/shop", Executable: true}
	for first := 0; first < n; first += 30 {
		var entries strings.Builder
		count := min(30, n-first)
		for i := range count {
			file := ""
			if i%15 == 0 {
				file = fmt.Sprintf("p%d/file%d.go", first, i)
			}
			receiver := [3]string{"", "*Server", "Money"}[i%3]
			fmt.Fprintf(&entries, "%d\t%s\t%d\t%s\tFunc%d\tcontext.Context,map[string]int\n", i, file, 3*i+1, receiver, first+i)
			if i%10 == 9 {
				fmt.Fprintf(&entries, "-nosplit\t\t%d\t\tasm%d\tint\n", 3*i+2, first+i)
			}
		}
		p.Packages = append(p.Packages, Package{
			Path:    fmt.Sprintf("example.com/shop/p%06d", first),
			Marks:   bytesOf(make([]uint64, (count+7)/8)),
			Entries: entries.String(),
		})
	}
	return p
}

// inOrder makes p a package without functions that are not observable, of which the
// registry says so.
func inOrder(p *Package) {
	var entries strings.Builder
	for line := range strings.Lines(p.Entries) {
		if !strings.HasPrefix(line, "-") {
			entries.WriteString(line)
			p.InOrder++
		}
	}
	p.Entries = entries.String()
}

// call marks function i of a program of newProgram.
func (p *Program) call(i int) { setMark(p.Packages[i/30].Marks, i%30) }

// presume makes functions of a program of newProgram presumed, with a time.
func (p *Program) presume(at time.Time, functions ...int) {
	p.Evidence = "report.json"
	for _, i := range functions {
		p.Presumed = append(p.Presumed, Presumed{int32(i / 30), int32(i % 30), at.UnixMilli()})
	}
}

// hashOf is the signature hash of function i, from the contract's words.
func (p *Program) hashOf(i int) string {
	fingerprint := p.Packages[i/30].Path + "." + [3]string{"", "(Server).", "(Money)."}[i%30%3] + fmt.Sprintf("Func%d", i)
	return hexOf(md5Sum([]byte(fingerprint)))
}

// A lockedBuffer takes a publisher's messages.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newTestPublisher returns a publisher that is not running yet.
func newTestPublisher(p *Program, network http.RoundTripper, variables ...string) (*publisher, *lockedBuffer) {
	set := loadSettings(p, environment(variables...))
	set.leaveThisMachine()
	pub := newPublisher(p, set)
	messages := new(lockedBuffer)
	pub.log = newLogger(messages, set)
	pub.useNetwork(network)
	pub.poller.running.Store(true) // that of go test, and of synctest's clock
	pub.timeless = false           // whose time stands still while somebody waits in a system call
	return pub, messages
}

// toCollector are the variables of a process that reports to a fakeCollector.
func toCollector(more ...string) []string {
	return append([]string{"SCAVENGER_SERVER_URL=http://collector:8080/", "SCAVENGER_API_KEY=" + testKey}, more...)
}

// place is where function i of a program of newProgram is among all functions, if those
// of packages after the second are in order: every tenth is followed by another one.
func place(i int) int { return i + min(i, 60)/10 }

func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(hang); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("condition not met within %v", hang)
		}
	}
}

// needsNetwork skips a test of programs that may have a collector.
func needsNetwork(t *testing.T) {
	t.Helper()
	if !hasNetwork {
		t.Skip("programs with network = false have no collector")
	}
}
