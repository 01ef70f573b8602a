//go:build linux

package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// newImageBuilder makes what builds the image for an architecture of Linux.
func newImageBuilder(t *testing.T, arch string) *imageBuilder {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root may have another root directory and user")
	}
	if out, err := exec.Command("unshare", "-rm", "true").CombinedOutput(); err != nil {
		t.Skipf("no mounts of its own here: %v %s", err, out)
	}
	built.File(t) // the image's is built from the same sources
	return &imageBuilder{
		t:        t,
		contexts: map[string]string{"": newModule(t), "scavenger-wrap": checkout(t)},
		caches:   map[string]string{"/go/pkg/mod": goEnv(t, "GOMODCACHE"), "/root/.cache/go-build": goEnv(t, "GOCACHE")},
		goroot:   goEnv(t, "GOROOT"),
		args:     map[string]string{"TARGETOS": "linux", "TARGETARCH": arch},
		stages:   map[string]*stage{},
	}
}

// The Dockerfile's stages in directories of this machine, and then its program alone, as the
// image's user. Docker itself is not run.
func TestHeavyDocker(t *testing.T) {
	program.Heavy(t)
	b := newImageBuilder(t, runtime.GOARCH)
	for _, i := range parseDockerfile(readFile(t, "docker/Dockerfile")) {
		b.do(i)
	}
	image := b.last
	var data string
	var names []string
	for _, v := range image.env {
		name, value, _ := strings.Cut(v, "=")
		names = append(names, name)
		if name == "SCAVENGER_DATA_DIR" {
			data = value
		}
	}
	checkSettings(t, names)
	if !slices.Contains(image.volumes, data) {
		t.Fatalf("the image has ENV %v, VOLUME %v", image.env, image.volumes)
	}
	uid, gid := ids(t, image.user)
	for dir := image.root; dir != "/"; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.Mode()&0o001 == 0 {
			b.check(os.Chmod(dir, info.Mode()|0o011)) // t.TempDir's are for one user
		}
	}
	cmd := exec.Command(image.entrypoint)
	cmd.Env = image.env
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: image.root, Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "total 42\n" {
		t.Fatalf("the program printed %q, %v", out, err)
	}
	checkReport(t, run(t, ".", nil, built.File(t), "report", "--format=json", filepath.Join(image.root, data)))
}

// The image for the other platform: the program in it is for that.
func TestHeavyDockerPlatform(t *testing.T) {
	program.Heavy(t)
	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
	b := newImageBuilder(t, other)
	for _, i := range parseDockerfile(readFile(t, "docker/Dockerfile")) {
		b.do(i)
	}
	checkProgram(t, "linux/"+other, []byte(readFile(t, filepath.Join(b.last.root, b.last.entrypoint))))
}

// What TestHeavyDocker rests on.
func TestParseDockerfile(t *testing.T) {
	got := parseDockerfile("# syntax\nFROM a AS b\nRUN --mount=type=cache,target=/x --network=none \\\n  # why\n  go build \\\n  ./...\n")
	if len(got) != 2 || got[0].name != "FROM" || got[0].args != "a AS b" ||
		got[1].flag("mount") != "type=cache,target=/x" || got[1].flag("network") != "none" || strings.Join(strings.Fields(got[1].args), " ") != "go build ./..." {
		t.Errorf("got %+v", got)
	}
}
