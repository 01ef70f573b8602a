//go:build !nonetwork

package hitrt

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// steps returns what Check tells of a serverUrl, a line for each step.
func steps(t *testing.T, serverURL string) (lines []string) {
	t.Helper()
	clearVariables(t)
	Check(func(step, outcome, detail, advice string) {
		lines = append(lines, fmt.Sprintf("%s %s: %s -> %s", outcome, step, detail, advice))
	}, fmt.Sprintf(`{"serverUrl":%q,"apiKey":%q}`, serverURL, testKey))
	return lines
}

// What to do about a collector that gives no answer depends on what there is in its place.
func TestCheckAdvice(t *testing.T) {
	answer := func(status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	}
	secured := httptest.NewUnstartedServer(http.NotFoundHandler())
	secured.Config.ErrorLog = log.New(io.Discard, "", 0)
	secured.StartTLS()
	defer secured.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	https := func(url string) string { return "https" + strings.TrimPrefix(url, "http") }
	plain := "http" + strings.TrimPrefix(secured.URL, "https")
	dir := newDataDir(t)
	leave(t, dir, newProgram(90), []int{3})
	for name, test := range map[string]struct{ url, want string }{
		"unknown authority of TLS": {secured.URL, "its certificate must be"},
		"TLS, not asked for":       {plain, "if there is TLS at this address"},
		"no TLS":                   {https(serve(t, http.NotFoundHandler()).URL), "there is no TLS at this address"},
		"another server":           {serve(t, http.NotFoundHandler()).URL, "serverUrl must be that of the collector (not of the web page)"},
		"a page for a login":       {serve(t, http.RedirectHandler("https://login.example.com/", http.StatusFound)).URL, "serverUrl must be that of the collector"},
		"busy":                     {serve(t, answer(http.StatusServiceUnavailable)).URL, "it is there, and does not serve now"},
		"nobody":                   {gone.URL, "serverUrl must be that of the collector (not of the web page), and reachable from here without a proxy"},
	} {
		lines := steps(t, test.url)
		if len(lines) != 1 || !strings.HasPrefix(lines[0], "failed initConfig: ") || !strings.Contains(lines[0], " -> "+test.want) {
			t.Errorf("%s: %q, want the advice %q", name, lines, test.want)
		}
		if !strings.Contains(name, "TLS") {
			continue
		}
		var advice string // of publish
		d := directory{path: dir, pause: time.Millisecond}
		d.run(func(_, _, _, a string) { advice = a }, fmt.Sprintf(`{"serverUrl":%q,"apiKey":%q}`, test.url, testKey))
		if !strings.HasPrefix(advice, test.want) || !strings.HasSuffix(advice, "; what was not sent stays") {
			t.Errorf("%s: publish has the advice %q, want %q", name, advice, test.want)
		}
	}
}

// A serverUrl that is none is one mistake, and said once; so does publish.
func TestCheckWrongURL(t *testing.T) {
	const want = "failed settings: serverUrl is not of the form http://host:port or https://host: nothing is sent to a collector"
	if lines := steps(t, "ftp://collector.example.com"); len(lines) != 1 || lines[0] != want+" -> " {
		t.Errorf("%q, want %q", lines, want)
	}
	if got := publishDir(t, "ftp://collector.example.com", directory{path: t.TempDir()}); got != want+"\n" {
		t.Errorf("publish: %q, want %q", got, want)
	}
}
