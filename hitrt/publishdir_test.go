//go:build !nonetwork

package hitrt

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/collector"
	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// publishDir does what PublishDir does against a server and returns its steps as lines of
// outcome, base of the step, and detail.
func publishDir(t *testing.T, server string, d directory) string {
	t.Helper()
	var lines strings.Builder
	d.pause = 50 * time.Millisecond
	d.run(func(step, outcome, detail, _ string) {
		fmt.Fprintf(&lines, "%s %s: %s\n", outcome, filepath.Base(step), detail)
	}, fmt.Sprintf(`{"serverUrl":%q,"apiKey":%q}`, server, testKey))
	return lines.String()
}

// What processes left is sent with its codebase and its times, by application and
// environment, and its stamps say so; that of a process that lives, too. One damaged
// stamp is said, and costs nothing but itself.
func TestPublishDir(t *testing.T) {
	clearVariables(t)
	dir := newDataDir(t)
	prog := newProgram(90)
	shop := leave(t, dir, newProgram(90), []int{3, 80}, "SCAVENGER_APP_NAME=shop")
	leave(t, dir, newProgram(90), []int{4}, "SCAVENGER_APP_NAME=shop")
	host := leave(t, dir, newProgram(90), []int{9}, "SCAVENGER_APP_NAME=shop", "SCAVENGER_HOSTNAME=other")
	test := leave(t, dir, newProgram(60), []int{5}, "SCAVENGER_APP_NAME=shop", "SCAVENGER_ENVIRONMENT=test")
	live, _ := newTestPublisher(newProgram(90), nil, "SCAVENGER_DATA_DIR="+dir, "SCAVENGER_APP_NAME=live")
	live.begin()
	live.program.Packages[0].Marks[6] = 1
	live.checkpoint()
	defer live.die()
	damaged := leave(t, dir, newProgram(90), []int{7, 8}, "SCAVENGER_APP_NAME=damaged")
	file, err := os.OpenFile(damaged, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := datafile.OpenHits(damaged)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := file.WriteAt(make([]byte, 8), r.Header.Stamps+7*8); err != nil {
		t.Fatal(err)
	}
	fake := newFake()
	server := serve(t, fake)
	text := publishDir(t, server.URL, directory{path: dir})
	for _, want := range []string{
		"failed " + filepath.Base(damaged) + ": damaged", "ok " + filepath.Base(damaged) + ": 1 calls sent\n",
		"ok " + filepath.Base(live.data.store.Path()) + ": 1 calls sent\n",
		"ok codebase: 99 functions of shop, environment <default>", "ok codebase: 66 functions of shop, environment test",
		"ok " + filepath.Base(shop) + ": 3 calls sent\n", "ok " + filepath.Base(host) + ": 1 calls sent\n",
	} {
		if strings.Count(text, want) != 1 {
			t.Errorf("steps\n%swant once %q", text, want)
		}
	}
	for i := range 90 {
		waitFor(t, func() bool { return fake.invokedAt(prog.hashOf(i)) >= 0 })
		called := 3 <= i && i <= 6 || i == 8 || i == 9 || i == 80
		waitFor(t, func() bool { return fake.invokedAt(prog.hashOf(i)) > 0 == called })
	}
	for path, i := range map[string]int{shop: 80, host: 9, test: 5, damaged: 8, live.data.store.Path(): 6} {
		if path == damaged {
			continue // which cannot be read without an error
		}
		if got := stateOf(t, path, i); got != datafile.Sent {
			t.Errorf("the stamp of function %d in %s has state %d, want sent", i, path, got)
		}
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
	// A second time there is nothing to send, unless all is asked for.
	n := len(fake.got(methodInvocations))
	if text := publishDir(t, server.URL, directory{path: dir}); !strings.Contains(text, "note directory: nothing in ") || len(fake.got(methodInvocations)) != n {
		t.Errorf("steps of the second run\n%s", text)
	}
	if text := publishDir(t, server.URL, directory{path: dir, all: true}); !strings.Contains(text, filepath.Base(shop)+": 3 calls sent\n") {
		t.Errorf("steps of a run with all\n%s", text)
	}
	// What the living process calls again is unsent.
	live.program.Packages[0].Marks[6] = 1
	time.Sleep(2 * time.Millisecond)
	live.data.refresh() // else it is written within a minute
	live.checkpoint()
	if text := publishDir(t, server.URL, directory{path: dir}); !strings.Contains(text, filepath.Base(live.data.store.Path())+": 1 calls sent\n") {
		t.Errorf("steps after another call\n%s", text)
	}
}

// What something renamed, as logrotate does, is sent like all else. One of an earlier
// version, or compressed, is not, which is said.
func TestPublishDirRotated(t *testing.T) {
	clearVariables(t)
	dir, prog := newDataDir(t), newProgram(90)
	rotated := leave(t, dir, newProgram(90), []int{3, 80})
	if err := os.Rename(rotated, rotated+".1"); err != nil {
		t.Fatal(err)
	}
	path := leave(t, dir, newProgram(90), []int{4})
	olds, err := filepath.Glob(filepath.Join("datafile", "testdata", "old", "format1", "process-*"))
	if err != nil || len(olds) == 0 {
		t.Fatal("no file of an earlier version", err)
	}
	old, err := os.ReadFile(olds[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"process-a.hits.1": old, "hits-0123456789abcdef.hits.2.gz": []byte("\x1f\x8b\x08\x00"), "hits-1.hits.1.tmp": nil} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	fake := newFake()
	text := publishDir(t, serve(t, fake).URL, directory{path: dir})
	for _, want := range []string{
		"ok " + filepath.Base(path) + ": 1 calls sent\n", "ok " + filepath.Base(rotated) + ".1: 2 calls sent\n",
		"note process-a.hits.1: it is of an earlier version", "failed hits-0123456789abcdef.hits.2.gz: damaged",
	} {
		if strings.Count(text, want) != 1 {
			t.Errorf("steps\n%swant once %q", text, want)
		}
	}
	if n := strings.Count(text, "failed"); n != 1 {
		t.Errorf("%d steps failed, want 1:\n%s", n, text)
	}
	waitFor(t, func() bool { return fake.invokedAt(prog.hashOf(80)) > 0 })
	if got := stateOf(t, rotated+".1", 80); got != datafile.Sent {
		t.Errorf("the stamp in the renamed file has state %d, want sent", got)
	}
}

// A run that is cut off anywhere is made good by the next; what is kept can be sent
// again and changes nothing.
func TestPublishDirInterrupted(t *testing.T) {
	clearVariables(t)
	for failAt := range int64(6) {
		dir, prog := newDataDir(t), newProgram(90)
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
		text := publishDir(t, server.URL, directory{path: dir})
		if failAt < 5 && (stateOf(t, path, 3) == datafile.Sent || !strings.Contains(text, "502")) {
			t.Errorf("call %d failed; the stamp says %v; steps\n%s", failAt+1, stateOf(t, path, 3), text)
		}
		before := stateOf(t, path, 3)
		if text := publishDir(t, server.URL, directory{path: dir, keep: true}); failAt < 5 && (!strings.Contains(text, "2 calls sent\n") || stateOf(t, path, 3) != before) {
			t.Errorf("call %d failed; steps of the second run\n%s", failAt+1, text)
		}
		at := fake.invokedAt(prog.hashOf(3))
		publishDir(t, server.URL, directory{path: dir})
		if stateOf(t, path, 3) != datafile.Sent || at <= 0 || fake.invokedAt(prog.hashOf(3)) != at || fake.invokedAt(prog.hashOf(4)) != 0 {
			t.Errorf("call %d failed; in the end: state %v, %d, %d", failAt+1, stateOf(t, path, 3), at, fake.invokedAt(prog.hashOf(3)))
		}
	}
}

// A collector with a lower limit, and one that does not know the key.
func TestPublishDirRefused(t *testing.T) {
	clearVariables(t)
	dir, prog := newDataDir(t), newProgram(3000)
	path := leave(t, dir, newProgram(3000), []int{3, 2999})
	fake := newFake()
	server := serve(t, fake)
	fake.fault = func(w http.ResponseWriter, _ *http.Request, method string) bool {
		if method == methodPoll {
			grpcStatus(w, codeUnauthenticated)
		}
		return method == methodPoll
	}
	if text := publishDir(t, server.URL, directory{path: dir}); !strings.Contains(text, "failed codebase: ") || !strings.Contains(text, "UNAUTHENTICATED") || stateOf(t, path, 3) != datafile.Unsent {
		t.Errorf("steps with a wrong key\n%s", text)
	}
	fake.fault = func(w http.ResponseWriter, r *http.Request, _ string) bool {
		if r.ContentLength > 300_000 {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
		return r.ContentLength > 300_000
	}
	if text := publishDir(t, server.URL, directory{path: dir}); strings.Contains(text, "failed") || stateOf(t, path, 3) != datafile.Sent {
		t.Errorf("steps with a low limit\n%s", text)
	}
	for _, i := range []int{0, 3, 2999} {
		waitFor(t, func() bool { return fake.invokedAt(prog.hashOf(i)) > 0 == (i > 0) })
	}
	for dir, want := range map[string]string{dir: "note", filepath.Join(dir, "none"): "failed directory"} {
		if text := publishDir(t, server.URL, directory{path: dir}); !strings.HasPrefix(text, want) || strings.Count(text, "\n") != 1 {
			t.Errorf("%s: steps\n%swant one line %s", dir, text, want)
		}
	}
}

// Two files name one codebase, and one of them says that it has more functions. Its calls
// have no names, and cost the others nothing.
func TestPublishDirOtherFunctions(t *testing.T) {
	clearVariables(t)
	dir, prog := newDataDir(t), newProgram(90)
	path := leave(t, dir, newProgram(90), []int{3}, "SCAVENGER_APP_NAME=shop")
	r, err := datafile.OpenHits(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	other := datafile.Store{Dir: dir, Identity: r.Identity}
	other.Identity.Functions, other.Identity.Hostname = 5000, "other"
	u := &datafile.Update{Calls: func(yield func(int, int64) bool) { yield(4999, datafile.MinTime) }}
	if _, err := other.Update(u); err != nil {
		t.Fatal(err)
	}
	fake := newFake()
	server := serve(t, fake)
	text := publishDir(t, server.URL, directory{path: dir})
	for _, want := range []string{"ok " + filepath.Base(path) + ": 1 calls sent\n", "failed " + filepath.Base(other.Path()) + ": "} {
		if strings.Count(text, want) != 1 {
			t.Errorf("steps\n%swant once %q", text, want)
		}
	}
	waitFor(t, func() bool { return fake.invokedAt(prog.hashOf(3)) > 0 })
}

// A file in which nothing can be noted is named once, though its calls are sent twice.
func TestPublishDirNotNoted(t *testing.T) {
	clearVariables(t)
	dir := newDataDir(t)
	path := leave(t, dir, newProgram(90), []int{3})
	fake := newFake()
	fake.fault = func(_ http.ResponseWriter, _ *http.Request, method string) bool {
		if method == methodInvocations {
			_ = os.Remove(path)
			_ = os.Mkdir(path, 0o777)
		}
		return false
	}
	text := publishDir(t, serve(t, fake).URL, directory{path: dir})
	if n := len(fake.got(methodInvocations)); n != 2 || strings.Count(text, "failed") != 1 || !strings.Contains(text, ": sent, and not noted there: ") {
		t.Errorf("%d messages, steps\n%s", n, text)
	}
}

// Nothing is to be sent of a file that cannot be read, but nobody knows that.
func TestPublishDirUnreadable(t *testing.T) {
	clearVariables(t)
	dir := newDataDir(t)
	if err := os.WriteFile(filepath.Join(dir, "hits-0123456789abcdef.hits"), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	if text := publishDir(t, serve(t, newFake()).URL, directory{path: dir}); strings.Contains(text, "nothing in") || !strings.HasPrefix(text, "failed hits-0123456789abcdef.hits: ") {
		t.Errorf("steps\n%s", text)
	}
}

// What to do about a refusal depends on who refuses.
func TestPublishDirAdvice(t *testing.T) {
	clearVariables(t)
	dir := newDataDir(t)
	leave(t, dir, newProgram(90), []int{3})
	for _, test := range []struct {
		status     int
		body, want string
	}{
		{http.StatusNotFound, "", "serverUrl must be that of the collector"},
		{http.StatusOK, "<html>", "serverUrl must be that of the collector"},
		{http.StatusFound, "", "serverUrl must be that of the collector"},
		{http.StatusServiceUnavailable, "", "run it again later"},
		{http.StatusTooManyRequests, "", "run it again later"},
		{http.StatusRequestEntityTooLarge, "", "run it again later"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.status)
			_, _ = w.Write([]byte(test.body))
		}))
		var first []string // outcome and advice
		d := directory{path: dir, pause: time.Millisecond}
		d.run(func(_, outcome, _, advice string) {
			first = append(first, outcome, advice)
		}, fmt.Sprintf(`{"serverUrl":%q,"apiKey":%q}`, server.URL, testKey))
		server.Close()
		if len(first) < 2 || first[0] != "failed" || !strings.HasPrefix(first[1], test.want) {
			t.Errorf("status %d: %q, want the advice %q", test.status, first, test.want)
		}
	}
}

// A key that is found in the middle of words is left there.
func TestWithoutKey(t *testing.T) {
	for key, want := range map[string]string{"": "GET /a?key=abc%2Fdef", "a": "GET /a?key=abc%2Fdef", "abc/def": "GET /a?key=***"} {
		if got := withoutKey("GET /a?key=abc%2Fdef", key); got != want {
			t.Errorf("without %q: %q, want %q", key, got, want)
		}
	}
}

// A codebase file of an earlier version, which wrote signatures in another way, is sent as
// the program itself would send it now.
func TestPublishDirEarlierSignatures(t *testing.T) {
	clearVariables(t)
	dir := newDataDir(t)
	path := leave(t, dir, newProgram(40), []int{3, 4}, "SCAVENGER_APP_NAME=shop")
	files, err := filepath.Glob(filepath.Join(dir, "codebase-*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("codebase files %q, %v", files, err)
	}
	earlierSignatures(t, files[0])
	server, err := collector.Start(collector.Options{NoJitter: true, APIKeys: []string{testKey}})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if text := publishDir(t, server.URL(), directory{path: dir}); !strings.Contains(text, "ok "+filepath.Base(path)+": 2 calls sent\n") {
		t.Errorf("steps\n%s", text)
	}
	if err := server.Check(within(t, hang)); err != nil {
		t.Error(err)
	}
	want := newCodebase(newProgram(40).Packages).chunks("<default>", maxMessage)[0].fingerprint
	if got := server.Tables().Fingerprints; len(got) != 1 || got[0].Fingerprint != want {
		t.Errorf("fingerprints %+v, want %s", got, want)
	}
	used := 0
	for _, f := range server.Functions(collector.Query{}) {
		if f.Used {
			used++
		}
		if !strings.HasSuffix(f.Signature, "(context·Context,map[string]int)") {
			t.Errorf("signature %q", f.Signature)
		}
	}
	if used != 2 {
		t.Errorf("%d functions are used, want 2", used)
	}
}

// earlierSignatures gives a codebase file signatures with other names, and with
// parameters as the first versions wrote them.
func earlierSignatures(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")
	var b bytes.Buffer
	b.WriteString(lines[0])
	for _, line := range lines[1 : len(lines)-1] {
		var f datafile.Function
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		class := cmp.Or(strings.TrimPrefix(f.Receiver, "*"), "func")
		f.Signature = "earlier." + strings.ReplaceAll(f.Package, "/", ".") + "." + class + "." + f.Name + "(context.Context,map[string]int)"
		if err := json.NewEncoder(&b).Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.Sum256(b.Bytes())
	if err := os.WriteFile(name, append(b.Bytes(), datafile.Seal(sum[:])...), 0o600); err != nil {
		t.Fatal(err)
	}
}
