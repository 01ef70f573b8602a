package link

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchaintest"
)

// A work directory on a file system without locks, as Lustre may be, does not stop a build.
func TestListStdlibWithoutLock(t *testing.T) {
	tc := toolchaintest.Local(t)
	tc.Write("go.mod", "module example.com/app\n\ngo 1.24\n")
	a, err := action.New(filepath.Join(tc.Run("env", "GOTOOLDIR"), "link"), nil, action.Flags{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := &linking{Action: a, dir: filepath.Join(t.TempDir(), "go-build1", "b001")}
	if err := os.MkdirAll(l.lockFile(), 0o777); err != nil { // no file can be locked there
		t.Fatal(err)
	}
	archives, err := l.listStdlib([]string{"internal/goos"}, nestedGo{dir: tc.Dir, env: append(os.Environ(), "GOFLAGS=-buildvcs=false")})
	if err != nil || archives["internal/goos"] == "" {
		t.Errorf("archives %v, %v", archives, err)
	}
}
