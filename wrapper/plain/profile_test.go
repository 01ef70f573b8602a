package plain

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchaintest"
)

// The profile is the one that the go command takes: that of the last -pgo, from where the
// command runs, or the one beside the main package.
func TestProfile(t *testing.T) {
	tc := toolchaintest.Local(t)
	tc.Write("go.mod", "module example.com/app\n\ngo 1.24\n")
	if err := os.MkdirAll(filepath.Join(tc.Dir, "cmd", "app"), 0o777); err != nil {
		t.Fatal(err)
	}
	tc.Write("cmd/app/main.go", "package main\n\nfunc main() {}\n")
	beside := filepath.Join("cmd", "app", "default.pgo")
	for _, test := range []struct{ args, goflags, importPath, want string }{
		{"go build ./...", "", "example.com/app/cmd/app", beside},
		{"go build -pgo=auto ./cmd/app", "-pgo=off", "example.com/app/cmd/app", beside},
		{"go build cmd/app/main.go", "", "command-line-arguments", beside},
		{"go build -pgo prof/cpu ./cmd/app", "-pgo=x", "example.com/app/cmd/app", filepath.Join("prof", "cpu")},
		{"go build ./cmd/app", "-pgo=x", "example.com/app/cmd/app", "x"},
		{"go build ./cmd/app", "", "example.com/other", ""},
	} {
		c := &OuterCommand{program: "go", dir: tc.Dir, environ: os.Environ()}
		if err := c.parse(strings.Fields(test.args)[1:], strings.Fields(test.goflags)); err != nil {
			t.Fatal(err)
		}
		got, err := c.Profile(tc.Dir, test.importPath)
		want := ""
		if test.want != "" {
			want = filepath.Join(tc.Dir, test.want)
		}
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%s, GOFLAGS %q: %s, %v, want %s", test.args, test.goflags, got, err, test.want)
		}
	}
}
