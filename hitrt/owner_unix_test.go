//go:build unix

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

// A settings file of the working directory counts only if nobody else can have written
// it. A program that is active says why it does not; an inert one says nothing.
func TestSettingsOwner(t *testing.T) {
	const name = "scavenger.conf"
	for what, test := range map[string]struct {
		file  string
		spoil func(dir string) error
		want  string // of the line; none if the file counts
	}{
		"mine":                 {name, func(string) error { return nil }, ""},
		"mine in conf":         {"conf/" + name, func(string) error { return nil }, ""},
		"of a group":           {name, func(dir string) error { return os.Chmod(filepath.Join(dir, name), 0o664) }, name + ": others may write to it"},
		"of everybody":         {name, func(dir string) error { return os.Chmod(filepath.Join(dir, name), 0o646) }, name + ": others may write to it"},
		"directory of a group": {name, func(dir string) error { return os.Chmod(dir, 0o775) }, name + ": its directory: others may write to it"},
		"like /tmp":            {name, func(dir string) error { return os.Chmod(dir, 0o777|os.ModeSticky) }, name + ": its directory: others may write to it"},
		"conf of everybody":    {"conf/" + name, func(dir string) error { return os.Chmod(filepath.Join(dir, "conf"), 0o777) }, name + ": its directory: others may write to it"},
		"conf to be replaced":  {"conf/" + name, func(dir string) error { return os.Chmod(dir, 0o777) }, name + ": its directory: others may write to it"},
		"another's file":       {name, func(dir string) error { return os.Chown(filepath.Join(dir, name), 65534, -1) }, name + ": belongs to another user"},
		"another's directory":  {name, func(dir string) error { return os.Chown(dir, 65534, -1) }, name + ": its directory: belongs to another user"},
		"a link to another's": {name, func(dir string) error {
			target := filepath.Join(dir, "target")
			if err := os.Rename(filepath.Join(dir, name), target); err != nil {
				return err
			}
			if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
				return err
			}
			return os.Chown(target, 65534, -1)
		}, name + ": belongs to another user"},
	} {
		t.Run(what, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "work")
			file := filepath.Join(dir, test.file)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte("appName=file"), 0o644); err != nil {
				t.Fatal(err)
			}
			// Whatever the umask.
			for path, mode := range map[string]os.FileMode{dir: 0o755, filepath.Dir(file): 0o755, file: 0o644} {
				if err := os.Chmod(path, mode); err != nil {
					t.Fatal(err)
				}
			}
			if err := test.spoil(dir); err != nil {
				t.Skipf("not possible here: %v", err)
			}
			t.Chdir(dir)
			s := loadSettings(&Program{Settings: `{"appName":"baked","dataDir":"data"}`}, environment("HOME="+dir))
			app := "file"
			if test.want != "" {
				app = "baked"
			}
			all := strings.Join(s.passedOver, "\n")
			if s.appName != app || !strings.Contains(all, test.want) || (all == "") != (test.want == "") || len(s.passedOver) > 1 {
				t.Errorf("appName %q, passed over %q, want %q and %q", s.appName, all, app, test.want)
			}
			inert := loadSettings(&Program{Settings: `{"serverUrl":"http://c"}`}, environment("SCAVENGER_SERVER_URL=http://c", "SCAVENGER_API_KEY=", "SCAVENGER_ENABLED=false"))
			var out strings.Builder
			inert.explain(&out)
			if inert.active() || out.String() != "" {
				t.Errorf("an inert program says %q", out.String())
			}
			named := loadSettings(&Program{}, environment("SCAVENGER_CONFIG="+file))
			if named.appName != "file" || len(named.passedOver) > 0 {
				t.Errorf("named in SCAVENGER_CONFIG, appName is %q, passed over %q", named.appName, named.passedOver)
			}
		})
	}
}

// What a file of the working directory may set, in a program that lies there and in one
// that is started there.
func TestSettingsWorkDir(t *testing.T) {
	needsNetwork(t)
	if os.Getenv("HITRT_TEST_WORKDIR") != "" {
		prog := &Program{Settings: `{"apiKey":"built-in-key","serverUrl":"http://built-in","appName":"baked","exitTimeout":"1s"}`}
		s := loadSettings(prog, os.LookupEnv)
		fmt.Printf("%v %s %s %s %s %s %s %v\n", s.enabled, s.serverURL, s.apiKey, filepath.Base(s.dataDir), filepath.Base(s.logFile), s.appName, s.grpcTLS, s.exitTimeout)
		fmt.Println(strings.Join(append(s.passedOver, s.problems...), "\n"))
		os.Exit(0)
	}
	const hostile = "enabled=false\nserverUrl=http://evil/$SECRET\napiKey=other\ndataDir=data\nlogFile=$HOME/.bashrc\ngrpcTls=off\nexitTimeout=5m\nappName=file-${SECRET}-$SCAVENGER_SUFFIX\n"
	const guarded = "has $SECRET in it: a scavenger.conf of the working directory may use variables SCAVENGER_… only"
	for name, test := range map[string]struct {
		program, text string // where the program lies, from the working directory
		want          string
		said          []string
		lines         int
	}{
		"elsewhere": {"../bin/program", hostile, "true http://built-in built-in-key . . file-${SECRET}-s auto 1s",
			[]string{"has no say in enabled, apiKey, grpcTls, exitTimeout, serverUrl, dataDir, logFile, as the program does not lie there: name the file in SCAVENGER_CONFIG", "appName " + guarded}, 2},
		"nothing else": {"../bin/program", "serverUrl=http://built-in\napiKey=built-in-key\nappName=file\npackages=a", "true http://built-in built-in-key . . file auto 1s", nil, 0},
		"there": {"program", hostile, "false http://evil/$SECRET other data . file-${SECRET}-s off 5m0s",
			[]string{"serverUrl " + guarded, "appName " + guarded, "logFile has $HOME in it", `logFile is "$HOME/.bashrc": no files are written there`}, 4},
		"below":     {"libexec/bin/program", "serverUrl=http://c\n", "true http://c built-in-key . . baked auto 1s", nil, 0},
		"no server": {"program", "appName=$SECRET\ndataDir=$SECRET", "true http://built-in built-in-key secret . secret auto 1s", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			work := filepath.Join(t.TempDir(), "work")
			program := filepath.Join(work, test.program)
			for _, dir := range []string{work, filepath.Dir(program)} {
				if err := os.MkdirAll(dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			copyProgram(t, program)
			if err := os.WriteFile(filepath.Join(work, "scavenger.conf"), []byte(test.text), 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(program, "-test.run=^TestSettingsWorkDir$")
			cmd.Dir = work
			cmd.Env = []string{"HITRT_TEST_WORKDIR=1", "SECRET=secret", "HOME=/home/me", "SCAVENGER_SUFFIX=s"}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			got, said, _ := strings.Cut(string(out), "\n")
			if said = strings.TrimSpace(said); got != test.want || said != "" && len(strings.Split(said, "\n")) != test.lines || said == "" && test.lines > 0 {
				t.Errorf("%s\nwant %s\nsaid %s", got, test.want, said)
			}
			for _, want := range test.said {
				if !strings.Contains(said, want) {
					t.Errorf("said %q, want %q", said, want)
				}
			}
		})
	}
}

// copyProgram copies the test binary.
func copyProgram(t *testing.T, to string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	file, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(file, from); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}
