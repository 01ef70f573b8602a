package datafile

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// A writer is a process that updates a file until it is killed, or a number of times.
type writer struct {
	Store   Store
	UUID    string
	Seed    uint64
	Updates int    // 0: until it is killed
	Marks   string // path of its marks file, "" without
}

const writerVariable = "DATAFILE_TEST_WRITER"

func TestMain(m *testing.M) {
	if spec := os.Getenv(writerVariable); spec != "" {
		var w writer
		if err := errors.Join(json.Unmarshal([]byte(spec), &w), w.run(os.Stdout)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// run says "+ function time" of calls that its marks file has, and "= function time" of
// those that its hits file has.
func (w *writer) run(out io.Writer) error {
	random := rand.New(rand.NewPCG(w.Seed, 1))
	p := &Process{UUID: w.UUID, StartedAt: millis(time.Now()), PID: os.Getpid(), State: Running, Kept: InMemory}
	marks, err := w.openMarks(p)
	if err != nil {
		return err
	}
	all := map[int]int64{}
	for n := 1; ; n++ {
		at := millis(time.Now())
		m := map[int]int64{}
		for range random.IntN(30) + 1 {
			i := random.IntN(w.Store.Identity.Functions)
			m[i], all[i] = at, at
		}
		if err := marks.note(m, at); err != nil {
			return err
		}
		say(out, "+", m, marks != nil)
		if p.SeenAt = at; n == w.Updates {
			p.State = Ended
		}
		if _, err := w.Store.Update(&Update{Calls: calls(m), All: calls(all), Process: p}); err != nil {
			return err
		}
		if err := marks.saved(m, p.Writes); err != nil {
			return err
		}
		say(out, "=", m, true)
		time.Sleep(time.Millisecond)
		if n == w.Updates {
			return nil
		}
	}
}

func say(out io.Writer, what string, m map[int]int64, do bool) {
	if !do {
		return
	}
	text := ""
	for i, at := range m {
		text += fmt.Sprintln(what, i, at)
	}
	_, _ = io.WriteString(out, text)
}

// writerMarks are the marks file of a writer, nil without.
type writerMarks struct {
	*os.File
	h *MarksHeader
}

func (w *writer) openMarks(p *Process) (*writerMarks, error) {
	if w.Marks == "" {
		return nil, nil
	}
	n := w.Store.Identity.Functions
	h := &MarksHeader{Identity: w.Store.Identity, Process: p.UUID, PID: p.PID, StartedAt: p.StartedAt, Kept: InMemory, DataDir: w.Store.Dir}
	head, err := h.Encode([]Range{{Count: uint32(n)}}, roundUp(int64(n)))
	if err != nil {
		return nil, err
	}
	file, err := Open(w.Marks, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, writeErr := file.WriteAt(head, 0)
	return &writerMarks{file, h}, errors.Join(Lock(file, time.Minute), file.Truncate(h.Size), writeErr)
}

func (m *writerMarks) note(calls map[int]int64, at int64) error {
	if m == nil {
		return nil
	}
	_, err := m.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(at)), m.h.State+SweptAt)
	return errors.Join(err, m.taken(calls, 1))
}

func (m *writerMarks) saved(calls map[int]int64, writes uint64) error {
	if m == nil {
		return nil
	}
	_, err := m.WriteAt(binary.LittleEndian.AppendUint64(nil, writes), m.h.State+WritesAt)
	return errors.Join(err, m.taken(calls, 0))
}

func (m *writerMarks) taken(calls map[int]int64, b byte) error {
	for i := range calls {
		if _, err := m.WriteAt([]byte{b}, m.h.Taken+int64(i)); err != nil {
			return err
		}
	}
	return nil
}

// A ledger has what writers said.
type ledger struct {
	sync.Mutex
	noted, written map[int]int64
}

func newLedger() *ledger { return &ledger{noted: map[int]int64{}, written: map[int]int64{}} }

func (l *ledger) snapshot() map[int]int64 {
	l.Lock()
	defer l.Unlock()
	return maps.Clone(l.written)
}

// hear takes down what a writer says until it ends.
func (l *ledger) hear(r io.Reader) {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return // what it was about to say does not count
		}
		var what string
		var i int
		var at int64
		if _, err := fmt.Sscan(line, &what, &i, &at); err != nil {
			continue
		}
		l.Lock()
		m := l.written
		if what == "+" {
			m = l.noted
		}
		m[i] = max(m[i], at)
		l.Unlock()
	}
}

// start runs a writer and returns a function that waits for its end, which must be a
// good one unless it is killed.
func (l *ledger) start(t *testing.T, w writer) (*exec.Cmd, func() error) {
	t.Helper()
	spec, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), writerVariable+"="+string(spec))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	heard := make(chan bool)
	go func() {
		l.hear(out)
		close(heard)
	}()
	return cmd, func() error {
		<-heard
		return cmd.Wait()
	}
}
