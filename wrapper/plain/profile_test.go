package plain

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchaintest"
)

// The profile is the one that the go command takes: that of the last -pgo, from where the
// command runs, or the one beside the main package.
func TestProfile(t *testing.T) {
	tc := toolchaintest.Local(t)
	tc.Write("go.mod", "module example.com/app\n\ngo 1.24\n")
	tool := filepath.Join("modcache", "example.com", "tool@v1.0.0")
	download := filepath.Join("modcache", "cache", "download", "example.com", "tool", "@v")
	for _, dir := range []string{filepath.Join("cmd", "app"), filepath.Join("cmd", "my.test"), tool, download} {
		if err := os.MkdirAll(filepath.Join(tc.Dir, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	tc.Write("cmd/app/main.go", "package main\n\nfunc main() {}\n")
	tc.Write("cmd/my.test/main.go", "package main\n\nfunc main() {}\n")
	// What go install has downloaded.
	tc.Write(filepath.Join(download, "v1.0.0.info"), `{"Version":"v1.0.0"}`)
	tc.Write(filepath.Join(download, "v1.0.0.mod"), "module example.com/tool\n")
	tc.Write(filepath.Join(download, "v1.0.0.ziphash"), "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
	t.Setenv("GOMODCACHE", filepath.Join(tc.Dir, "modcache"))
	beside := filepath.Join("cmd", "app", "default.pgo")
	for _, test := range []struct{ args, goflags, importPath, want string }{
		{"go build ./...", "", "example.com/app/cmd/app", beside},
		{"go build -pgo=auto ./cmd/app", "-pgo=off", "example.com/app/cmd/app", beside},
		{"go build cmd/app/main.go", "", "command-line-arguments", beside},
		{"go build -pgo prof/cpu ./cmd/app", "-pgo=x", "example.com/app/cmd/app", filepath.Join("prof", "cpu")},
		{"go build ./cmd/app", "-pgo=x", "example.com/app/cmd/app", "x"},
		{"go build ./cmd/app", "", "example.com/other", ""},
		{"go test ./cmd/app", "", "example.com/app/cmd/app.test", beside},
		{"go build ./cmd/my.test", "", "example.com/app/cmd/my.test", filepath.Join("cmd", "my.test", "default.pgo")},
		{"go test ./cmd/my.test", "", "example.com/app/cmd/my.test.test", filepath.Join("cmd", "my.test", "default.pgo")},
		{"go install example.com/tool@v1.0.0", "", "example.com/tool", filepath.Join(tool, "default.pgo")},
		{"go run example.com/tool/cmd/b@latest", "", "example.com/tool/cmd/b", filepath.Join(tool, "cmd", "b", "default.pgo")},
	} {
		c := &OuterCommand{program: "go", dir: tc.Dir, environ: os.Environ()}
		if err := c.parse(strings.Fields(test.args)[1:], strings.Fields(test.goflags)); err != nil {
			t.Fatal(err)
		}
		got, err := c.Profile(tc.Dir), error(nil)
		if got == "" {
			got, err = c.DefaultProfile(tc.Dir, test.importPath, debug.Module{Path: "example.com/tool", Version: "v1.0.0"})
		}
		want := ""
		if test.want != "" {
			want = filepath.Join(tc.Dir, test.want)
		}
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%s, GOFLAGS %q: %s, %v, want %s", test.args, test.goflags, got, err, test.want)
		}
	}
}
