package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// What is put is found again, by another process too; what is not there, or is no longer
// whole, is missing.
func TestCacheProg(t *testing.T) {
	store := t.TempDir()
	ask := func(requests string) string {
		t.Helper()
		var out bytes.Buffer
		if err := cacheProg(store, strings.NewReader(requests), &out); err != nil {
			t.Fatal(err)
		}
		_, answers, _ := strings.Cut(out.String(), "\n") // the first says what is known
		return strings.ReplaceAll(answers, store, "STORE")
	}
	const get = `{"ID":2,"Command":"get","ActionID":"AQI="}` + "\n"
	const missing = `{"ID":2,"Miss":true}` + "\n"
	if got := ask(get); got != missing {
		t.Errorf("of an empty store: %s", got)
	}
	put := ask(`{"ID":1,"Command":"put","ActionID":"AQI=","OutputID":"AwQ=","BodySize":3}` + "\n" + `"YWJj"` + "\n" + `{"ID":2,"Command":"close"}` + "\n")
	if want := `{"ID":1,"DiskPath":"STORE/03/0304-d"}` + "\n" + `{"ID":2}` + "\n"; put != want {
		t.Errorf("put: %s, want %s", put, want)
	}
	if got, want := ask(get), `{"ID":2,"OutputID":"AwQ=","Size":3,"DiskPath":"STORE/03/0304-d"}`+"\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	path := cacheFile(store, []byte{3, 4}, "d")
	if text, err := os.ReadFile(path); err != nil || string(text) != "abc" {
		t.Errorf("stored %q, %v", text, err)
	}
	if err := os.WriteFile(path, []byte("ab"), 0o666); err != nil {
		t.Fatal(err)
	}
	if got := ask(get); got != missing {
		t.Errorf("of what is cut off: %s", got)
	}
}
