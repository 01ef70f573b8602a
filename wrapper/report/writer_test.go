// Data files for the tests. Those of earlier versions are written from the description
// of their format, and not from the reader.

package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// testFunc is one function of a test codebase, as JSON has it.
type testFunc struct {
	Package   string `json:"package"`
	Receiver  string `json:"receiver,omitempty"`
	Name      string `json:"name"`
	Signature string `json:"signature"`
	Hash      string `json:"hash"`
	File      string `json:"file"`
	Line      int    `json:"line"`
	Lines     int    `json:"lines,omitempty"`
	Reason    string `json:"reason,omitempty"`
	Generated bool   `json:"generated,omitempty"`
	Directive string `json:"directive,omitempty"`
	Presumed  int64  `json:"presumed,omitempty"`
	Evidence  string `json:"evidence,omitempty"`
}

// fn makes a function from "pkg.Name", "pkg.Type.Name" or "pkg.*Type.Name",
// where pkg has no dot.
func fn(name, file string, line int) testFunc {
	parts := strings.Split(name, ".")
	f := testFunc{Package: "example.com/" + parts[0], Name: parts[len(parts)-1], File: file, Line: line}
	class := "func"
	if len(parts) == 3 {
		f.Receiver = parts[1]
		class = strings.TrimPrefix(parts[1], "*")
	}
	f.Signature = "example.com." + strings.ReplaceAll(parts[0], "/", ".") + "." + class + "." + f.Name + "()"
	f.Hash = strings.Repeat("0", 32)
	return f
}

func (f testFunc) long(lines int) testFunc {
	f.Lines = lines
	return f
}

func (f testFunc) presumed(at time.Time, evidence string) testFunc {
	f.Presumed, f.Evidence = at.UnixMilli(), evidence
	return f
}

func (f testFunc) unobservable(reason string) testFunc {
	f.Reason = reason
	return f
}

// testProcess is one process; zero times mean: its functions were not called.
type testProcess struct {
	id          string
	app         string
	main        string // absent in the files of the first versions, like module
	module      string
	host        string
	version     string
	environment string // "test" if empty
	started     time.Time
	calls       map[string]time.Time // by Name
	boot        string
	pid         int                   // that of the test if zero
	state       datafile.ProcessState // Ended if zero
	kept        datafile.Kept         // InMemory if zero
}

func codebaseBytes(t testing.TB, fingerprint string, functions []testFunc) []byte {
	t.Helper()
	return blindCodebase(t, fingerprint, "", functions)
}

// blindCodebase returns a codebase file that says what its build does not list, unless
// that is "", as in files of earlier versions.
func blindCodebase(t testing.TB, fingerprint, unlisted string, functions []testFunc) []byte {
	t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"format\":1,\"fingerprint\":%q,\"functions\":%d", fingerprint, len(functions))
	if unlisted != "" {
		fmt.Fprintf(&b, ",\"unlisted\":%q", unlisted)
	}
	b.WriteString("}\n")
	for _, f := range functions {
		line, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	return seal(b.Bytes())
}

// seal appends the last line of a codebase file.
func seal(content []byte) []byte {
	return fmt.Appendf(content, "{\"sha256\":\"%x\"}\n", sha256.Sum256(content))
}

func hitsBytes(t testing.TB, fingerprint string, functions []testFunc, p testProcess) []byte {
	t.Helper()
	stamps := make([]uint64, len(functions))
	for i, f := range functions {
		stamps[i] = 1
		if at, ok := p.calls[f.Name]; ok {
			stamps[i] = uint64(at.UnixMilli())
		}
	}
	header := map[string]any{
		"format": 1, "fingerprint": fingerprint, "functions": len(functions),
		"appName": p.app, "appVersion": p.version, "environment": cmp.Or(p.environment, "test"), "hostname": p.host,
		"process": p.id, "pid": 123, "startedAt": p.started.UnixMilli(),
	}
	if p.main != "" {
		header["main"] = p.main
	}
	if p.module != "" {
		header["module"] = p.module
	}
	return rawHits(t, header, stamps)
}

// rawHits writes any header and stamps. "stamps" is set unless given.
func rawHits(t testing.TB, header map[string]any, stamps []uint64) []byte {
	t.Helper()
	const start = 4096
	if _, ok := header["stamps"]; !ok {
		header["stamps"] = start
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	if 16+len(text) > start {
		t.Fatalf("a header of %d bytes is too long for these tests", len(text))
	}
	b := []byte("SCAVHIT1")
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(text))
	b = append(b, text...)
	b = append(b, make([]byte, start-len(b))...)
	for _, s := range stamps {
		b = binary.LittleEndian.AppendUint64(b, s)
	}
	return b
}

// damageStamp zeroes a stamp in the shared file of a process.
func damageStamp(t testing.TB, dir, fingerprint string, functions []testFunc, p testProcess, i int) {
	t.Helper()
	path := store(dir, fingerprint, functions, p).Path()
	r, err := datafile.OpenHits(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(make([]byte, 8), r.Header.Stamps+8*int64(i)); err != nil {
		t.Fatal(err)
	}
}

// damageRecord damages the record of a process.
func damageRecord(t testing.TB, dir, hits, id string) {
	t.Helper()
	content := readFile(t, dir, hits)
	uuid, err := hex.DecodeString(strings.ReplaceAll(uuidOf(id), "-", ""))
	i := bytes.Index(content, uuid)
	if err != nil || i < 0 {
		t.Fatalf("no record of %s in %s: %v", id, hits, err)
	}
	content[i] ^= 1
	overwrite(t, dir, hits, content)
}

// setCreated changes the time at which a hits file was made.
func setCreated(t testing.TB, dir, hits string, at time.Time) {
	t.Helper()
	content := readFile(t, dir, hits)
	head := content[16:][:binary.LittleEndian.Uint32(content[8:])]
	i := bytes.Index(head, []byte(`"createdAt":`))
	if i < 0 {
		t.Fatalf("no time in %q", head)
	}
	copy(head[i+len(`"createdAt":`):], fmt.Sprint(at.UnixMilli()))
	binary.LittleEndian.PutUint32(content[12:], crc32.ChecksumIEEE(head))
	overwrite(t, dir, hits, content)
}

// put writes a file the way processes do: under a temporary name, then renamed.
func put(t testing.TB, dir, name string, content []byte) {
	t.Helper()
	tmp := filepath.Join(dir, name+".123.tmp")
	if err := os.WriteFile(tmp, content, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

// leave writes what processes of one build leave behind.
func leave(t testing.TB, dir, fingerprint string, functions []testFunc, processes ...testProcess) {
	t.Helper()
	leaveBlind(t, dir, fingerprint, "", functions, processes...)
}

// leaveBlind does what leave does for a build that says what it does not list.
func leaveBlind(t testing.TB, dir, fingerprint, unlisted string, functions []testFunc, processes ...testProcess) {
	t.Helper()
	put(t, dir, "codebase-"+fingerprint+".json", blindCodebase(t, fingerprint, unlisted, functions))
	for _, p := range processes {
		record(t, store(dir, fingerprint, functions, p), functions, p)
	}
}

// store returns where a process writes: whoever tests.
func store(dir, fingerprint string, functions []testFunc, p testProcess) *datafile.Store {
	return &datafile.Store{Dir: dir, Wait: time.Minute, Identity: datafile.Identity{
		Fingerprint: fingerprint, Functions: len(functions), Main: p.main, Module: p.module,
		AppName: p.app, AppVersion: p.version, Environment: cmp.Or(p.environment, "test"), Hostname: p.host, UID: -1,
	}}
}

// record writes the calls and the record of a process.
func record(t testing.TB, s *datafile.Store, functions []testFunc, p testProcess) {
	t.Helper()
	u := &datafile.Update{Process: p.record()}
	u.Calls = func(yield func(int, int64) bool) {
		for i, f := range functions {
			if at, ok := p.calls[f.Name]; ok && !yield(i, at.UnixMilli()) {
				return
			}
		}
	}
	if _, err := s.Update(u); err != nil {
		t.Fatal(err)
	}
}

// record returns the record of a process that wrote all that it called, unless p says
// something else.
func (p *testProcess) record() *datafile.Process {
	r := &datafile.Process{
		UUID: uuidOf(p.id), Boot: p.boot, StartedAt: p.started.UnixMilli(), SeenAt: p.started.UnixMilli(), PID: cmp.Or(p.pid, os.Getpid()),
		State: cmp.Or(p.state, datafile.Ended), Kept: cmp.Or(p.kept, datafile.InMemory),
	}
	for _, at := range p.calls {
		r.SeenAt = max(r.SeenAt, at.UnixMilli())
	}
	return r
}

// uuidOf returns a UUID that sorts as id does.
func uuidOf(id string) string {
	h := fmt.Sprintf("%-16.16s", id)
	x := fmt.Sprintf("%x", h)
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// leaveOld writes what processes of an earlier version leave behind.
func leaveOld(t testing.TB, dir, fingerprint string, functions []testFunc, processes ...testProcess) {
	t.Helper()
	put(t, dir, "codebase-"+fingerprint+".json", codebaseBytes(t, fingerprint, functions))
	for _, p := range processes {
		put(t, dir, "process-"+p.id+".hits", hitsBytes(t, fingerprint, functions, p))
	}
}

// at is a time on a day of January 2026.
func at(day int) time.Time {
	return time.Date(2026, 1, day, 10, 30, 0, int(7*time.Millisecond), time.UTC)
}

// readAt does what Read does at a time and in a run of the machine.
func readAt(dir string, now time.Time, boot string) (*Report, error) {
	d := newData(dir, now, boot)
	if err := d.gather(); err != nil {
		return nil, err
	}
	return joinAll([]*data{d}), nil
}

// mustRead reads dir, which must hold something, and no damage.
func mustRead(t testing.TB, dir string) *Report {
	t.Helper()
	r, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Problems {
		t.Errorf("unexpected problem: %v", p)
	}
	return r
}

// statuses is a report in short: "pkg.Name" or "pkg.Type.Name" to status.
func statuses(r *Report) map[string]Status {
	m := map[string]Status{}
	for _, f := range r.Functions {
		name := strings.TrimPrefix(f.Package, "example.com/") + "."
		if f.Receiver != "" {
			name += f.Receiver + "."
		}
		m[name+f.Name] = f.Status
	}
	return m
}
