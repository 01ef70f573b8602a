package hitrt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// publishDir does what PublishDir does against a server and returns its steps as lines of
// outcome, base of the step, and detail.
func publishDir(t *testing.T, server, dir string, keep bool) string {
	t.Helper()
	var out bytes.Buffer
	d := &directory{path: dir, keep: keep, pause: 50 * time.Millisecond}
	d.run(&out, fmt.Sprintf(`{"serverUrl":%q,"apiKey":%q}`, server, testKey))
	var lines strings.Builder
	for dec := json.NewDecoder(&out); dec.More(); {
		var s checkStep
		if err := dec.Decode(&s); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&lines, "%s %s: %s\n", s.Outcome, filepath.Base(s.Step), s.Detail)
	}
	return lines.String()
}

// What processes without a collector left is sent with its codebase and its
// times, by application and environment, and removed; files of processes that
// live and damaged ones stay.
func TestPublishDir(t *testing.T) {
	if !canLock {
		t.Skip("no file locks")
	}
	clearVariables(t)
	dir := t.TempDir()
	prog := newProgram(90)
	sent := []string{
		leave(t, dir, newProgram(90), []int{3, 80}, "SCAVENGER_APP_NAME=shop"),
		leave(t, dir, newProgram(90), []int{4}, "SCAVENGER_APP_NAME=shop"),
		leave(t, dir, newProgram(60), []int{5}, "SCAVENGER_APP_NAME=shop", "SCAVENGER_ENVIRONMENT=test"),
	}
	live, _ := newTestPublisher(newProgram(90), nil, "SCAVENGER_DATA_DIR="+dir)
	live.packages[0].Marks[6] = 1
	live.begin()
	defer live.data.release()
	damaged := leave(t, dir, newProgram(90), []int{7})
	if err := os.Truncate(damaged, 4100); err != nil {
		t.Fatal(err)
	}
	fake := newFake()
	server := serve(t, fake)
	text := publishDir(t, server.URL, dir, false)
	for _, want := range []string{
		"failed " + filepath.Base(damaged) + ": damaged", "note " + filepath.Base(live.data.path()) + ": its process lives",
		"ok codebase: 99 functions of shop, environment <default>", "ok codebase: 66 functions of shop, environment test",
		"ok " + filepath.Base(sent[0]) + ": 2 calls sent and removed",
	} {
		if strings.Count(text, want) != 1 {
			t.Errorf("steps\n%swant once %q", text, want)
		}
	}
	for i := range 90 {
		waitFor(t, func() bool { return fake.invokedAt(prog.hashOf(i)) >= 0 })
		called := i == 3 || i == 4 || i == 5 || i == 80
		waitFor(t, func() bool { return fake.invokedAt(prog.hashOf(i)) > 0 == called })
	}
	for _, path := range sent {
		if exists(path) {
			t.Errorf("%s is still there", path)
		}
	}
	if !exists(damaged) || !exists(live.data.path()) {
		t.Error("a file was removed that was not sent")
	}
	// Its fingerprints are those of the processes themselves.
	for _, call := range fake.got(methodCodebase) {
		environment := call.common.text(5)
		n := map[string]int{"<default>": 90, "test": 60}[environment]
		want := newCodebase(newProgram(n).Packages).chunks(environment, maxMessage)[0].fingerprint
		if got := call.common.text(4); got != want {
			t.Errorf("fingerprint %s of %s, want %s", got, environment, want)
		}
	}
}

// A run that is cut off anywhere is made good by the next; what is kept can be sent
// again and changes nothing.
func TestPublishDirInterrupted(t *testing.T) {
	if !canLock {
		t.Skip("no file locks")
	}
	clearVariables(t)
	for failAt := range int64(6) {
		dir, prog := t.TempDir(), newProgram(90)
		path := leave(t, dir, newProgram(90), []int{3, 80})
		fake := newFake()
		var calls atomic.Int64
		fake.fault = func(w http.ResponseWriter, _ *http.Request, _ string) bool {
			if calls.Add(1) != failAt+1 {
				return false
			}
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		server := serve(t, fake)
		text := publishDir(t, server.URL, dir, false)
		if failAt < 5 && (!exists(path) || !strings.Contains(text, "502")) {
			t.Errorf("call %d failed; the file is there: %v; steps\n%s", failAt+1, exists(path), text)
		}
		if text := publishDir(t, server.URL, dir, true); failAt < 5 && (!strings.Contains(text, "2 calls sent\n") || !exists(path)) {
			t.Errorf("call %d failed; steps of the second run\n%s", failAt+1, text)
		}
		at := fake.invokedAt(prog.hashOf(3))
		publishDir(t, server.URL, dir, false)
		if exists(path) || at <= 0 || fake.invokedAt(prog.hashOf(3)) != at || fake.invokedAt(prog.hashOf(4)) != 0 {
			t.Errorf("call %d failed; in the end: file there %v, %d, %d", failAt+1, exists(path), at, fake.invokedAt(prog.hashOf(3)))
		}
	}
}

// A collector with a lower limit, and one that does not know the key.
func TestPublishDirRefused(t *testing.T) {
	if !canLock {
		t.Skip("no file locks")
	}
	clearVariables(t)
	dir, prog := t.TempDir(), newProgram(3000)
	path := leave(t, dir, newProgram(3000), []int{3, 2999})
	fake := newFake()
	server := serve(t, fake)
	fake.fault = func(w http.ResponseWriter, _ *http.Request, method string) bool {
		if method == methodPoll {
			grpcStatus(w, codeUnauthenticated)
		}
		return method == methodPoll
	}
	if text := publishDir(t, server.URL, dir, false); !strings.Contains(text, "failed codebase: ") || !strings.Contains(text, "UNAUTHENTICATED") || !exists(path) {
		t.Errorf("steps with a wrong key\n%s", text)
	}
	fake.fault = func(w http.ResponseWriter, r *http.Request, _ string) bool {
		if r.ContentLength > 300_000 {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
		return r.ContentLength > 300_000
	}
	if text := publishDir(t, server.URL, dir, false); strings.Contains(text, "failed") || exists(path) {
		t.Errorf("steps with a low limit\n%s", text)
	}
	for _, i := range []int{0, 3, 2999} {
		waitFor(t, func() bool { return fake.invokedAt(prog.hashOf(i)) > 0 == (i > 0) })
	}
	for dir, want := range map[string]string{dir: "note", filepath.Join(dir, "none"): "failed directory"} {
		if text := publishDir(t, server.URL, dir, false); !strings.HasPrefix(text, want) || strings.Count(text, "\n") != 1 {
			t.Errorf("%s: steps\n%swant one line %s", dir, text, want)
		}
	}
}
