package hitrt

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// environment is a lookup function for loadSettings.
func environment(variables ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, v := range variables {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value, true
			}
		}
		return "", false
	}
}

func TestSettingsActive(t *testing.T) {
	needsNetwork(t)
	const baked = `{"apiKey":"k","serverUrl":"http://c"}`
	tests := []struct {
		name, baked string
		variables   []string
		want        bool
	}{
		{"nothing", "", nil, false},
		{"baked", baked, nil, true},
		{"key_only", `{"apiKey":"k"}`, nil, false},
		{"url_only", `{"serverUrl":"http://c"}`, nil, false},
		{"key_from_variable", `{"serverUrl":"http://c"}`, []string{"SCAVENGER_API_KEY=k"}, true},
		{"alias", `{"serverUrl":"http://c"}`, []string{"SCAVENGER_LICENSE_KEY=k"}, true},
		{"baked_alias", `{"serverUrl":"http://c","licenseKey":"k"}`, nil, true},
		{"data_dir", "", []string{"SCAVENGER_DATA_DIR=x"}, true},
		{"blank_overrides", baked, []string{"SCAVENGER_API_KEY="}, false},
		{"disabled", baked, []string{"SCAVENGER_ENABLED=false"}, false},
		{"no_is_not_true", baked, []string{"SCAVENGER_ENABLED=no"}, false},
		{"true_in_any_case", baked, []string{"SCAVENGER_ENABLED=True"}, true},
		{"bad_url", `{"apiKey":"k","serverUrl":"ftp://c"}`, nil, false},
		{"bad_url_data_dir", `{"apiKey":"k","serverUrl":"ftp://c","dataDir":"x"}`, nil, true},
		{"no_json", `{`, []string{"SCAVENGER_DATA_DIR=x"}, true},
	}
	for _, test := range tests {
		s := loadSettings(&Program{Settings: test.baked}, environment(test.variables...))
		if got := s.active(); got != test.want {
			t.Errorf("%s: active = %v, want %v", test.name, got, test.want)
		}
	}
}

func TestSettingsValues(t *testing.T) {
	needsNetwork(t)
	s := loadSettings(&Program{Main: "example.com/cmd/shop/v2"}, environment(
		"SCAVENGER_SERVER_URL= collector:8080/scavenger// ", "SCAVENGER_GRPC_TLS=ON", "SCAVENGER_DATA_DIR=data",
		"SCAVENGER_FORCE_INTERVAL_SECONDS=7", "SCAVENGER_SCHEDULER_INITIAL_DELAY_MILLIS=0",
		"SCAVENGER_SCHEDULER_INTERVAL_MILLIS=50", "SCAVENGER_EXIT_TIMEOUT=750ms"))
	wd, _ := os.Getwd()
	want := settings{
		enabled: true, serverURL: "http://collector:8080/scavenger", grpcTLS: "on", dataDir: filepath.Join(wd, "data"),
		appName: "shop", forceInterval: 7 * time.Second, interval: 50 * time.Millisecond, exitTimeout: 750 * time.Millisecond,
	}
	if len(s.problems) != 1 || s.problems[0] != noKey {
		t.Errorf("problems %q, want only that there is no apiKey", s.problems)
	}
	s.problems = nil
	if got := *s; !equalSettings(got, want) {
		t.Errorf("settings %+v, want %+v", got, want)
	}
}

func equalSettings(a, b settings) bool {
	return a.enabled == b.enabled && a.apiKey == b.apiKey && a.serverURL == b.serverURL && a.dataDir == b.dataDir &&
		a.grpcTLS == b.grpcTLS && a.appName == b.appName && a.initialDelay == b.initialDelay &&
		a.interval == b.interval && a.forceInterval == b.forceInterval && a.exitTimeout == b.exitTimeout
}

// Each bad value is named once, by its key, and its default is used.
func TestSettingsBad(t *testing.T) {
	s := loadSettings(&Program{Settings: `{"apiKey":"secret-key","serverUrl":"http://u:password@c"}`}, environment(
		"SCAVENGER_GRPC_TLS=maybe", "SCAVENGER_FORCE_INTERVAL_SECONDS=9999999999999", "SCAVENGER_SCHEDULER_INITIAL_DELAY_MILLIS=-1",
		"SCAVENGER_SCHEDULER_INTERVAL_MILLIS=ten\nlines", "SCAVENGER_EXIT_TIMEOUT=1h", "SCAVENGER_DEBUG_MODE=1"))
	if s.grpcTLS != "auto" || s.forceInterval != 0 || s.initialDelay != 10*time.Second || s.interval != 10*time.Second ||
		s.exitTimeout != 2*time.Second || s.logLevel != levelWarn || s.serverURL != "" {
		t.Errorf("settings %+v are not the defaults", s)
	}
	all := strings.Join(s.problems, "\n")
	for _, key := range []string{"grpcTls", "forceIntervalSeconds", "schedulerInitialDelayMillis", "schedulerIntervalMillis",
		"exitTimeout", "debugMode", "serverUrl"} {
		if strings.Count(all, key+" is ") != 1 {
			t.Errorf("%s is not named once in:\n%s", key, all)
		}
	}
	if strings.Contains(all, "secret") || strings.Contains(all, "password") {
		t.Errorf("a secret in:\n%s", all)
	}
}

// Nobody means a directory called ~ in whatever directory the program is started in.
func TestSettingsPaths(t *testing.T) {
	home, wd := t.TempDir(), t.TempDir()
	t.Chdir(wd)
	for value, want := range map[string]string{
		"$HOME/x": filepath.Join(home, "x"), "./~/x": filepath.Join(wd, "~", "x"), "x/~/%h/$none": filepath.Join(wd, "x", "~", "%h", "$none"),
		"~": "", "~/x": "", "~shop/x": "", "%h/x": "", `%LOCALAPPDATA%\x`: "", "$none/x": "", "${none}/x": "", "${HOME:-/}/x": "", "$TILDE/x": "",
	} {
		variables := environment("HOME="+home, "TILDE=~", "SCAVENGER_LOG_FILE="+value)
		s := loadSettings(&Program{Settings: `{"dataDir":` + strconv.Quote(value) + `}`}, variables)
		if s.dataDir != want || s.logFile != want || s.active() != (want != "") {
			t.Errorf("%s: dataDir is %q, logFile %q, and active %v, want %q", value, s.dataDir, s.logFile, s.active(), want)
		}
		if value == "$TILDE/x" {
			value = "~/x"
		}
		problem := "dataDir is " + shown(value) + ", and nothing replaces the " + strconv.Quote(value[:1]) + ": no files are written there; write $HOME or another variable, or ./" + value + " for that name"
		if value[0] == '$' {
			problem = "dataDir is " + shown(value) + ": no files are written there"
		}
		if said := slices.Contains(s.problems, problem) && slices.Contains(s.asked, problem); said != (want == "") {
			t.Errorf("%s: problems are %q, and those of a program that is silent %q, want %q", value, s.problems, s.asked, problem)
		}
	}
}

func TestExitTimeoutSeconds(t *testing.T) {
	s := loadSettings(&Program{}, environment("SCAVENGER_EXIT_TIMEOUT=5"))
	if got, want := s.exitTimeout, 5*time.Second; got != want {
		t.Errorf("exitTimeout = %v, want %v", got, want)
	}
}

func TestDefaultAppName(t *testing.T) {
	executable := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	for main, want := range map[string]string{
		"example.com/cmd/shop":     "shop",
		"example.com/shop/v2":      "shop",
		"example.com/shop/v12":     "shop",
		"example.com/shop/vet":     "vet",
		"example.com/shop/v":       "v",
		"shop":                     "shop",
		"v2":                       "v2",
		"command-line-arguments":   executable,
		"":                         executable,
		"gopkg.in/src-d/tool.v4/x": "x",
	} {
		if got := defaultAppName(main); got != want {
			t.Errorf("defaultAppName(%q) = %q, want %q", main, got, want)
		}
	}
}

func TestApplyDefaults(t *testing.T) {
	s := &settings{appName: strings.Repeat("a", 300), appVersion: strings.Repeat("1", 100), hostname: strings.Repeat("h", 300)}
	s.applyDefaults()
	if len(s.appName) != 255 || len(s.appVersion) != 80 || len(s.hostname) != 255 || s.environment != "<default>" {
		t.Errorf("values of %d, %d, %d characters and environment %q", len(s.appName), len(s.appVersion), len(s.hostname), s.environment)
	}
	s = &settings{appName: "a"}
	s.applyDefaults()
	if s.appVersion == "" || s.hostname == "" {
		t.Errorf("no default for version %q or host %q", s.appVersion, s.hostname)
	}
}

func TestLogger(t *testing.T) {
	needsNetwork(t)
	var out strings.Builder
	r := newLogger(&out, &settings{apiKey: "a secret/key", logLevel: levelWarn})
	r.WarnHourly("poll", "polling http://c?licenseKey=a+secret%%2Fkey: %s", "a secret/key\nmore")
	r.WarnHourly("poll", "again")
	r.InfoHourly("info", "below the level")
	r.Debug("below the level")
	if got, want := out.String(), ` level=WARN msg="scavenger: polling http://c?licenseKey=***: *** more"`+"\n"; !strings.HasSuffix(got, want) || strings.Count(got, "\n") != 1 {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

// Lines go where logFile says, wherever the program is by then and whatever became
// of the file; if it cannot be written to, to standard error.
func TestLogFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	set := loadSettings(&Program{}, environment("SCAVENGER_LOG_FILE=log", "SCAVENGER_LOG_LEVEL=info"))
	t.Chdir(t.TempDir())
	var out strings.Builder
	r := newLogger(&out, set)
	path := filepath.Join(dir, "log")
	for _, line := range []string{"first", "second"} {
		r.InfoHourly(line, "the %s", line)
		text, err := os.ReadFile(path)
		if want := `level=INFO msg="scavenger: the ` + line + `"` + "\n"; err != nil || !strings.HasSuffix(string(text), want) || strings.Count(string(text), "\n") != 1 {
			t.Errorf("the file has %q, %v, want %q", text, err, want)
		}
		if err := os.Rename(path, path+"."+line); err != nil {
			t.Fatal(err)
		}
	}
	if out.String() != "" {
		t.Errorf("standard error has %q", out.String())
	}
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
	r.WarnHourly("third", "the third")
	r.WarnHourly("fourth", "the fourth")
	got := out.String()
	if strings.Count(got, "logFile") != 1 || !strings.Contains(got, "the third") || !strings.HasSuffix(got, "the fourth\"\n") || strings.Count(got, "\n") != 3 {
		t.Errorf("standard error has %q, want why the file has no lines, once, and these", got)
	}
}

func TestLogLevel(t *testing.T) {
	for text, want := range map[string]level{"": levelWarn, "Error": levelError, "info": levelInfo, "debug": levelDebug, "x": levelWarn} {
		if got := loadSettings(&Program{}, environment("SCAVENGER_LOG_LEVEL="+text)).logLevel; got != want {
			t.Errorf("logLevel %q is %v, want %v", text, got, want)
		}
	}
	if got := loadSettings(&Program{}, environment("SCAVENGER_DEBUG_MODE=true", "SCAVENGER_LOG_LEVEL=error")).logLevel; got != levelDebug {
		t.Errorf("with debugMode the level is %v", got)
	}
}
