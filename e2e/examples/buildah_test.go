//go:build linux

// The Dockerfile as buildah builds it.

package examples

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// A buildah keeps its images in a directory of the test.
type buildah struct {
	t       *testing.T
	storage string
}

func newBuildah(t *testing.T) *buildah {
	t.Helper()
	if _, err := exec.LookPath("buildah"); err != nil {
		t.Skip("there is no buildah")
	}
	if os.Getuid() != 0 {
		t.Skip("only root may have another root directory and user")
	}
	b := &buildah{t: t, storage: t.TempDir()}
	t.Cleanup(func() { b.do("umount", "--all") }) // or the storage cannot be removed
	for dir := b.storage; dir != "/"; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.Mode()&0o001 == 0 {
			if err := os.Chmod(dir, info.Mode()|0o011); err != nil { // t.TempDir's are for one user
				t.Fatal(err)
			}
		}
	}
	return b
}

// do runs a command of buildah and returns the last line that it prints: an ID, a directory.
// What it caches is in the storage too.
func (b *buildah) do(args ...string) string {
	b.t.Helper()
	cmd := exec.Command("buildah", slices.Concat([]string{"--root", filepath.Join(b.storage, "root"), "--runroot", filepath.Join(b.storage, "run")}, args)...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), isSetting), "TMPDIR="+b.storage)
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.t.Fatalf("buildah %q: %v\n%s", args, err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

// base makes the image that stands for one of the Dockerfile's. What golang has in it is
// mounted from this machine, when a command runs.
func (b *buildah) base(name string) {
	b.t.Helper()
	container := b.do("from", "scratch")
	if strings.Contains(name, "golang") {
		files := b.t.TempDir()
		if err := errors.Join(os.Mkdir(filepath.Join(files, "tmp"), 0o777), os.Chmod(filepath.Join(files, "tmp"), 0o777)); err != nil {
			b.t.Fatal(err)
		}
		b.do("copy", container, files, "/")
		b.do("config", "--env=HOME=/root", "--env=PATH=/go/bin:/usr/local/go/bin:/usr/local/bin:/usr/bin:/bin", "--env=GOPATH=/go", "--env=GOTOOLCHAIN=local", container)
	}
	b.do("commit", "--quiet", container, name)
	b.do("rm", container)
}

// Stages, contexts, cache mounts, owners and the image's settings are buildah's own; only the
// base images are made up, as there is no registry here.
func TestHeavyBuildah(t *testing.T) {
	program.Heavy(t)
	b := newBuildah(t)
	text := readFile(t, "docker/Dockerfile")
	bases := map[string]bool{}
	for _, from := range regexp.MustCompile(`(?m)^FROM (?:--\S+ )?(\S+)`).FindAllStringSubmatch(text, -1) {
		if !bases[from[1]] {
			b.base(from[1])
		}
		bases[from[1]] = true
	}
	// buildah keeps what a cache mount holds here; if another release does not, it compiles more.
	for target, dir := range map[string]string{"/go/pkg/mod": goEnv(t, "GOMODCACHE"), "/root/.cache/go-build": goEnv(t, "GOCACHE")} {
		link := filepath.Join(b.storage, "buildah-cache", target)
		if err := errors.Join(os.MkdirAll(filepath.Dir(link), 0o777), os.Symlink(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	source := t.TempDir()
	run(t, checkout(t), nil, "sh", "-c", "git ls-files --cached --others --exclude-standard | tar c --ignore-failed-read -T - 2>/dev/null | tar x -C "+source)
	args := []string{"build", "--isolation=chroot", "--pull-never", "--platform=linux/" + runtime.GOARCH, "--build-context=scavenger-wrap=" + source, "--file=docker/Dockerfile", "--tag=app",
		"--volume=" + goEnv(t, "GOROOT") + ":/usr/local/go:ro"}
	for _, dir := range []string{"/bin", "/lib", "/lib64", "/usr/bin", "/usr/lib", "/etc/ssl"} {
		if _, err := os.Stat(dir); err == nil {
			args = append(args, "--volume="+dir+":"+dir+":ro")
		}
	}
	b.do(append(args, newModule(t))...)
	root := b.do("mount", b.do("from", "--pull-never", "app"))
	config := b.do("inspect", "--type=image", "--format={{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.Volumes}} {{.OCIv1.Config.Env}}", "app")
	m := regexp.MustCompile(`^(\S+) \[(\S+)\] map\[(\S+):\{\}\] \[(.*)\]$`).FindStringSubmatch(config)
	if m == nil {
		t.Fatalf("the image is %q", config)
	}
	uid, gid := ids(t, m[1])
	cmd := exec.Command(m[2])
	cmd.Env, cmd.Dir = strings.Fields(m[4]), "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "total 42\n" {
		t.Fatalf("the program printed %q, %v", out, err)
	}
	if !slices.Contains(cmd.Env, "SCAVENGER_DATA_DIR="+m[3]) {
		t.Errorf("the volume is %s, the variables %q", m[3], cmd.Env)
	}
	checkReport(t, run(t, ".", nil, built.File(t), "report", "--format=json", filepath.Join(root, m[3])))
	checkProgram(t, "linux/"+runtime.GOARCH, []byte(readFile(t, filepath.Join(root, m[2]))))
}
