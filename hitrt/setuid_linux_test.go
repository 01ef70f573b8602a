package hitrt

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// A program with more rights than who started it takes no file name and no server
// from there: not from variables, not from the working directory, and no name that
// the working directory would complete.
func TestSettingsElevated(t *testing.T) {
	needsNetwork(t)
	if out := os.Getenv("HITRT_TEST_ELEVATED"); out != "" {
		prog := &Program{Settings: `{"dataDir":"data","logFile":"log","appName":"mine"}`}
		s := loadSettings(prog, variables())
		fmt.Printf("elevated %t: %q %q %q %q\n", os.Getuid() != os.Geteuid(), s.appName, s.dataDir, s.logFile, s.serverURL)
		return
	}
	if os.Getuid() != 0 {
		t.Skip("only root can give a program away")
	}
	for _, mode := range []os.FileMode{0o755, 0o755 | os.ModeSetuid} {
		program := copySelf(t, mode)
		dir := filepath.Dir(program)
		if err := os.WriteFile(filepath.Join(dir, "scavenger.conf"), []byte("appName=file\nserverUrl=http://file\n"), 0o644); err != nil {
			t.Fatal(err)
		}
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

// File capabilities are more rights too. What hides a program's vector from it and gives
// it no rights is not: a file that its user may not read.
func TestElevatedCapability(t *testing.T) {
	if os.Getenv("HITRT_TEST_CAPABILITY") != "" {
		_, vector := readProc("/proc/self/auxv")
		fmt.Printf("elevated %v, variables %v, hidden %v\n", isElevated(), variables() != nil, vector != nil)
		os.Exit(0)
	}
	if os.Getuid() != 0 {
		t.Skip("only root gives capabilities away")
	}
	// struct vfs_cap_data, revision 2, effective: CAP_NET_BIND_SERVICE permitted.
	capability := make([]byte, 20)
	binary.LittleEndian.PutUint32(capability, 0x02000001)
	binary.LittleEndian.PutUint32(capability[4:], 1<<10)
	for name, test := range map[string]struct {
		mode       os.FileMode
		capability []byte
		want       string
	}{
		"plain":      {0o755, nil, "elevated false, variables true, hidden false"},
		"unreadable": {0o711, nil, "elevated false, variables true, hidden true"},
		"capability": {0o755, capability, "elevated true, variables false, hidden true"},
	} {
		t.Run(name, func(t *testing.T) {
			program := copySelf(t, 0o755)
			letIn(t, filepath.Dir(program))
			if err := os.Chown(program, 0, 0); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(program, test.mode); err != nil {
				t.Fatal(err)
			}
			if test.capability != nil {
				if err := syscall.Setxattr(program, "security.capability", test.capability, 0); err != nil {
					t.Skipf("giving the program a capability: %v", err)
				}
			}
			cmd := exec.Command(program, "-test.run=^TestElevatedCapability$")
			cmd.Dir = "/"
			cmd.Env = []string{"HITRT_TEST_CAPABILITY=1"}
			cmd.SysProcAttr = asNobody()
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if got, _, _ := strings.Cut(string(out), "\n"); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// What its user may not read or enter is no settings file, and an inert program says
// nothing about it.
func TestSettingsUnreadable(t *testing.T) {
	if os.Getenv("HITRT_TEST_UNREADABLE") != "" {
		inert := loadSettings(&Program{}, os.LookupEnv)
		inert.explain(os.Stdout)
		active := loadSettings(&Program{Settings: `{"dataDir":"data","appName":"baked"}`}, os.LookupEnv)
		fmt.Printf("inert %v, %s, passed over %q, %q\n", !inert.active(), active.appName, active.passedOver, active.problems)
		os.Exit(0)
	}
	if os.Getuid() != 0 {
		t.Skip("only root becomes another user")
	}
	program := copySelf(t, 0o755)
	dir := filepath.Dir(program)
	letIn(t, dir)
	for _, closed := range []string{"conf", "home"} {
		if err := os.Mkdir(filepath.Join(dir, closed), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"scavenger.conf", "conf/scavenger.conf"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("appName=file"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "-test.run=^TestSettingsUnreadable$")
	cmd.Dir = dir
	cmd.Env = []string{"HITRT_TEST_UNREADABLE=1", "HOME=" + filepath.Join(dir, "home")}
	cmd.SysProcAttr = asNobody()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, _, _ := strings.Cut(string(out), "\n")
	if !strings.HasPrefix(got, "inert true, baked, passed over [") || !strings.Contains(got, "scavenger.conf: permission denied") || !strings.HasSuffix(got, "], []") {
		t.Errorf("%s", out)
	}
}

const nobody = 65534

func asNobody() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}

// letIn opens a temporary directory of a test to all users.
func letIn(t *testing.T, dir string) {
	t.Helper()
	for ; len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func TestIsSecure(t *testing.T) {
	words := func(values ...uintptr) (b []byte) {
		for _, v := range values {
			b = append(b, (*[unsafe.Sizeof(v)]byte)(unsafe.Pointer(&v))[:]...)
		}
		return b
	}
	for name, test := range map[string]struct {
		vector []byte
		want   bool
	}{
		"set":       {words(6, 4096, 23, 1, 0, 0), true},
		"not set":   {words(6, 23, 23, 0, 9, 1, 0, 0), false},
		"missing":   {words(6, 23, 1, 23, 0, 0), false},
		"empty":     {nil, false},
		"truncated": {words(6, 4096, 23, 1)[:3*unsafe.Sizeof(uintptr(0))], false},
	} {
		if got := isSecure(test.vector); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// copySelf returns the name of a copy of the test binary that belongs to nobody.
func copySelf(t *testing.T, mode os.FileMode) string {
	t.Helper()
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
