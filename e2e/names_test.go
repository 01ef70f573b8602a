//go:build unix

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// hostile is what names have in them: colours, a window title, the same in one
// character, a line that looks like ours, text from right to left, no UTF-8.
const hostile = "\x1b[31m\x1b]0;x\a\u009b1m\u202e\nok      forged\r\x7f\xff"

// No name that a command prints reaches the terminal as it is: of directories and files,
// in settings and variables, in what programs left and a server answers.
func TestHostileNames(t *testing.T) {
	wrapper := built.File(t)
	dir := filepath.Join(t.TempDir(), "app")
	data := filepath.Join(t.TempDir(), "data"+hostile)
	conf := filepath.Join(t.TempDir(), "conf"+hostile+".conf")
	text := strings.NewReplacer("\n", "", "\r", "").Replace(hostile)
	for name, content := range map[string]string{
		filepath.Join(dir, "go.mod"):                     "module example.com/app\n\ngo 1.24\n",
		filepath.Join(dir, "main.go"):                    "package main\n\n// " + text[:len(text)-1] + "\nfunc main() {}\n",
		filepath.Join(data, "process-"+hostile+".hits"):  "x",
		filepath.Join(data, "process-00.hits"):           hostile,
		filepath.Join(data, "codebase-"+hostile+".json"): "{}\n" + hostile,
		conf: "appName = " + text + "\npackages = example.com/app, example.com/none" + text + "\nserverUrl = http://127.0.0.1:1\napiKey = abcdef-" + text + "\n",
		filepath.Join(filepath.Dir(data), "bad"+hostile, "go.mod"):  "module " + text,
		filepath.Join(filepath.Dir(data), "bad"+hostile, "main.go"): "package " + text,
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Skipf("no such names here: %v", err)
		}
	}
	variables := []string{"SCAVENGER_APP_NAME=" + hostile, "SCAVENGER_WRONG" + text + "=1", "SCAVENGER_OPTIONS=wrong" + hostile + "=1;hostname=" + hostile,
		"GOFLAGS=-toolexec=" + "none" + strings.ReplaceAll(hostile, "\n", "")}
	linked := filepath.Join(filepath.Dir(data), "program"+hostile)
	build := exec.Command("go", "build", "-toolexec="+wrapper, "-o", linked, ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, test := range []struct {
		dir  string
		env  []string
		args []string
	}{
		{dir, nil, []string{"report", data}},
		{dir, nil, []string{"report", "--format=json", data}},
		{dir, nil, []string{"report", data + "/none"}},
		{dir, nil, []string{"plan", "./none" + hostile, data}},
		{dir, nil, []string{"plan", "--explain=none" + hostile, data}},
		{dir, nil, []string{"report", "--format=" + hostile, data}},
		{dir, []string{"SCAVENGER_SERVER_URL=http://127.0.0.1:1", "SCAVENGER_API_KEY=abcdefgh"}, []string{"publish", data}},
		{dir, nil, []string{"publish", data + "/none"}},
		{dir, variables, []string{"doctor", "--offline"}},
		{dir, variables[:3], []string{"doctor", "--offline", linked}},
		{dir, nil, []string{"doctor", "--offline", data}},
		{dir, nil, []string{"doctor", "--offline", "--functions", linked}},
		{dir, nil, []string{"--config=" + conf, "doctor"}},
		{dir, nil, []string{"--config=" + conf, "scan"}},
		{dir, nil, []string{"--config=" + conf, "scan", "--format=json"}},
		{dir, nil, []string{"--config=" + conf, "--log-level=debug", "scan", "--left-out"}},
		{dir, nil, []string{"--config=" + conf + "none", "scan"}},
		{dir, nil, []string{"--log-level=" + hostile, "scan"}},
		{dir, nil, []string{"--log-level=debug", "scan", "./none" + hostile}},
		{dir, nil, []string{"diff", "./none" + hostile}},
		{dir, nil, []string{"init", "--from=" + conf + "none"}},
		{dir, nil, []string{"init", "--from=" + conf}},
		{dir, nil, []string{hostile}},
		{dir, nil, []string{"--" + hostile}},
		{dir, nil, []string{"report", "--" + hostile}},
		{dir, nil, []string{"help", hostile}},
		{dir, nil, []string{"version", hostile}},
		{dir, nil, []string{"completion", hostile}},
		{filepath.Join(filepath.Dir(data), "bad"+hostile), nil, []string{"scan"}},
		{filepath.Join(filepath.Dir(data), "bad"+hostile), nil, []string{"init"}},
		{filepath.Join(filepath.Dir(data), "bad"+hostile), nil, []string{"doctor", "--offline"}},
	} {
		cmd := exec.Command(wrapper, test.args...)
		cmd.Dir = test.dir
		cmd.Env = append(os.Environ(), test.env...)
		var stdout, stderr strings.Builder
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		_ = cmd.Run()
		for stream, text := range map[string]string{"output": stdout.String(), "error": stderr.String()} {
			if !utf8.ValidString(text) {
				t.Errorf("%q: standard %s is not UTF-8: %q", test.args, stream, text)
			}
			for _, r := range text {
				if r != '\n' && r != '\t' && !unicode.IsGraphic(r) {
					t.Errorf("%q: standard %s has %U: %q", test.args, stream, r, text)
					break
				}
			}
			if strings.Contains("\n"+text, "\nok      forged") {
				t.Errorf("%q: standard %s has a line of its own: %q", test.args, stream, text)
			}
		}
		if stdout.Len()+stderr.Len() == 0 {
			t.Errorf("%q printed nothing", test.args)
		}
		if strings.Contains(strings.Join(test.args, " "), "format=json") && stdout.Len() > 0 && !json.Valid([]byte(stdout.String())) {
			t.Errorf("%q is no JSON: %q", test.args, stdout.String())
		}
	}
}
