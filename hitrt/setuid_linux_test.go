package hitrt

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A program with more rights than who started it takes no file name and no server
// from there: not from variables, not from the working directory, and no name that
// the working directory would complete.
func TestSettingsElevated(t *testing.T) {
	if out := os.Getenv("HITRT_TEST_ELEVATED"); out != "" {
		prog := &Program{Settings: `{"dataDir":"data","logFile":"log","appName":"mine"}`}
		s := loadSettings(prog, variables())
		fmt.Printf("elevated %t: %q %q %q %q\n", os.Getuid() != os.Geteuid(), s.appName, s.dataDir, s.logFile, s.serverURL)
		return
	}
	if os.Getuid() != 0 {
		t.Skip("only root can give a program away")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "scavenger.conf"), []byte("appName=file\nserverUrl=http://file\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o755, 0o755 | os.ModeSetuid} {
		program := copySelf(t, mode)
		cmd := exec.Command(program, "-test.run=^TestSettingsElevated$")
		cmd.Dir = dir
		cmd.Env = []string{"HITRT_TEST_ELEVATED=1", "SCAVENGER_ENVIRONMENT=variable", "HOME=" + dir}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		got, _, _ := strings.Cut(string(out), "\n")
		want := fmt.Sprintf("elevated false: %q %q %q %q", "file", filepath.Join(dir, "data"), filepath.Join(dir, "log"), "http://file")
		if mode&os.ModeSetuid != 0 {
			want = `elevated true: "mine" "" "" ""`
			if strings.HasPrefix(got, "elevated false") {
				t.Skip("the temporary directory allows no setuid")
			}
		}
		if got != want {
			t.Errorf("mode %v: %s\nwant %s", mode, got, want)
		}
	}
}

// copySelf returns the name of a copy of the test binary that belongs to nobody.
func copySelf(t *testing.T, mode os.FileMode) string {
	t.Helper()
	const nobody = 65534
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	file, err := os.CreateTemp(t.TempDir(), "program-*")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(file, self); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(file.Name(), nobody, nobody); err != nil {
		t.Skipf("giving a program away: %v", err)
	}
	if err := os.Chmod(file.Name(), mode); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}
