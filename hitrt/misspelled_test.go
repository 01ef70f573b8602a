package hitrt

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// What a name that is no setting makes a program say: if it is inert only what asks it to
// report, and never a value, nor a name that may be one.
func TestMisspelled(t *testing.T) {
	needsNetwork(t)
	dir := t.TempDir()
	conf, toml, build := filepath.Join(dir, "x.conf"), filepath.Join(dir, "x.toml"), filepath.Join(dir, "build.toml")
	for file, text := range map[string]string{
		conf:  "datadir = x\npackages = y\nserver_url=\n4c94e0dd-ad04-4b17 = z\n",
		toml:  "# dataDir = \"no\"\ndataDir = \"x\"\n",
		build: "packages = [\"x\"]\n#dataDir = \"x\"\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const active = "SCAVENGER_DATA_DIR=data"
	for _, test := range []struct {
		environ []string
		want    []string // in order
	}{
		{[]string{"SCAVENGER_DATADIR=x"}, []string{"SCAVENGER_DATADIR is no setting; did you mean SCAVENGER_DATA_DIR?"}},
		{[]string{"SCAVENGER_DATADIR=x", "SCAVENGER_ENABLED=false"}, nil},
		{[]string{"SCAVENGER_DATADRI=x"}, []string{"SCAVENGER_DATADRI is no setting; did you mean SCAVENGER_DATA_DIR?"}},
		{[]string{"SCAVENGER_OPTION=dataDir=x"}, []string{"SCAVENGER_OPTION is no setting; did you mean SCAVENGER_OPTIONS?"}},
		{[]string{"SCAVENGER_CONFG=x"}, []string{"SCAVENGER_CONFG is no setting; did you mean SCAVENGER_CONFIG?"}},
		{[]string{"SCAVENGER_DIR=x"}, []string{"SCAVENGER_DIR is no setting; did you mean SCAVENGER_DATA_DIR?"}},
		{[]string{"SCAVENGER_URL=x"}, []string{"SCAVENGER_URL is no setting; did you mean SCAVENGER_SERVER_URL?"}},
		{[]string{"SCAVENGER_SERVER=x"}, []string{"SCAVENGER_SERVER is no setting; did you mean SCAVENGER_SERVER_URL?"}},
		{[]string{"SCAVENGER_COLLECTOR_URL=x"}, []string{"SCAVENGER_COLLECTOR_URL is no setting; did you mean SCAVENGER_SERVER_URL?"}},
		{[]string{"SCAVENGER_KEY=x"}, []string{"SCAVENGER_KEY is no setting; did you mean SCAVENGER_API_KEY?"}},
		{[]string{"SCAVENGER_CONFIG_FILE=x"}, []string{"SCAVENGER_CONFIG_FILE is no setting; did you mean SCAVENGER_CONFIG?"}},
		{[]string{"SCAVENGER_WRAP_DATA_DIR=x"}, []string{"SCAVENGER_WRAP_DATA_DIR is no setting; did you mean SCAVENGER_DATA_DIR?"}},
		{[]string{"scavenger.serverUrl=x"}, []string{"scavenger.serverUrl is no setting; did you mean SCAVENGER_SERVER_URL?"}},
		{[]string{"SCAVENGER_OPTIONS=dir=x"}, []string{"SCAVENGER_OPTIONS: dir is no setting; did you mean dataDir?"}},
		{[]string{"SCAVENGER_APP=x", "SCAVENGER_ENV=y"}, nil},
		{[]string{"SCAVENGER_APP=x", "SCAVENGER_ENV=y", "SCAVENGER_DISABLED=true", active}, []string{"SCAVENGER_APP is no setting; did you mean SCAVENGER_APP_NAME?",
			"SCAVENGER_ENV is no setting; did you mean SCAVENGER_ENVIRONMENT?", "SCAVENGER_DISABLED is no setting; did you mean SCAVENGER_ENABLED?"}},
		{[]string{"SCAVENGER_APP_NAMES=x"}, nil},
		{[]string{"SCAVENGER_APP_NAMES=x", active}, []string{"SCAVENGER_APP_NAMES is no setting; did you mean SCAVENGER_APP_NAME?"}},
		// The build's business, others', and ours.
		{[]string{"SCAVENGER_PACKAGE=x", "SCAVENGER_PACKAGES=x", active}, nil},
		{[]string{"SCAVENGER_SERVICE_HOST=x", "SCAVENGER_SERVICE_PORT=1", "SCAVENGER_PORT=tcp://x:1", "SCAVENGER_PORT_80_TCP_ADDR=x",
			"SCAVENGER_SERVER_SERVICE_HOST=x", "SCAVENGER_WRAP_LOG=x", "SCAVENGER_PLAIN_CACHE=off", "SCAVENGER_DB_URL=x", "SCAVENGER=", "SCAVENGER_CONFIG_PORT=x",
			"SCAVENGER_OPTIONS_SERVICE_HOST=x", "SCAVENGER_SERVER_PORT=tcp://10.0.0.1:80", "SCAVENGER_NAME=/web/scavenger", "SCAVENGER_WRAPLOG=x", "SCAVENGER_WRAP_LOG_LEVEL=x", "SCAVENGER_WRAP_STARTED=x",
			"SCAVENGER_VERSION=1", "SCAVENGER_HOME=x", "SCAVENGER_EXCLUDE=x", "SCAVENGERS=x", "SCAVENGER_=x", "scavenger_home=x", active}, nil},
		{[]string{"SCAVENGER_OPTIONS=datadir=x"}, []string{"SCAVENGER_OPTIONS: datadir is no setting; did you mean dataDir?"}},
		{[]string{"SCAVENGER_OPTIONS=4c94e0dd-ad04-4b17;app_name=x", active}, []string{"SCAVENGER_OPTIONS: keys that are no settings, and not near to one: 1"}},
		{[]string{"SCAVENGER_OPTIONS=zone=x;appNames=y;environment=${zone}-$appNames", active}, nil},
		{[]string{"SCAVENGER_OPTIONS=packages=x;tags=y", active}, []string{
			"without effect where a program runs: SCAVENGER_OPTIONS: packages", "without effect where a program runs: SCAVENGER_OPTIONS: tags"}},
		{[]string{"SCAVENGER_CONFIG=" + conf}, []string{"scavenger.conf: datadir is no setting; did you mean dataDir?"}},
		{[]string{"SCAVENGER_CONFIG=" + conf, active}, []string{
			"scavenger.conf: datadir is no setting; did you mean dataDir?", "scavenger.conf: keys that are no settings, and not near to one: 1"}},
		{[]string{"SCAVENGER_CONFIG=" + toml}, []string{"SCAVENGER_CONFIG names a .toml file, which counts when a program is built: to set dataDir where it runs, name a scavenger.conf, or set SCAVENGER_DATA_DIR"}},
		{[]string{"SCAVENGER_CONFIG=" + build}, nil},
		{[]string{"SCAVENGER_CONFIG=" + filepath.Join(dir, "none.toml")}, nil},
		{[]string{"SCAVENGER_SERVER_URL=http://c", active}, []string{noKey}},
		{[]string{"SCAVENGER_ENABLED=flase", active}, []string{`enabled is \"flase\", which is neither true nor false: taken as false`}},
		{[]string{"SCAVENGER_ENABLED=flase"}, nil},
		{[]string{"SCAVENGER_ENABLED=off", active}, nil},
		{[]string{"SCAVENGER_GRPC_TLS=off", "SCAVENGER_MAPPING=disk", active}, []string{"without effect, as there is no collector: grpcTls"}},
		{[]string{"SCAVENGER_API_KEY=4c94e0dd", "SCAVENGER_SERVER_URL=http://c", "SCAVENGER_GRPC_TLS=off", "SCAVENGER_MAPPING=disk"},
			[]string{"without effect, as there is no dataDir: mapping"}},
	} {
		s := loadSettings(&Program{}, environment(test.environ...))
		s.checkVariables(test.environ)
		got := slices.Concat(s.problems, s.remarks)
		if !s.active() {
			var out strings.Builder
			s.explain(&out)
			got = nil
			for line := range strings.SplitSeq(strings.TrimSuffix(out.String(), "\n"), "\n") {
				if _, text, ok := strings.Cut(line, `level=WARN msg="scavenger: `); ok {
					got = append(got, strings.TrimSuffix(text, `"`))
				}
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%q: said %q, want %q", test.environ, got, test.want)
		}
	}
}

// On Windows a variable acts however it is written.
func TestMisspelledCase(t *testing.T) {
	s := loadSettings(&Program{}, environment())
	s.checkVariables([]string{"scavenger_data_dir=x"})
	want := []string{"scavenger_data_dir is no setting; did you mean SCAVENGER_DATA_DIR?"}
	if runtime.GOOS == "windows" {
		want = nil
	}
	if !slices.Equal(s.asked, want) {
		t.Errorf("said %q, want %q", s.asked, want)
	}
}

// The settings of a binary are no settings of this run.
func TestEffectOfBinary(t *testing.T) {
	needsNetwork(t)
	s := loadSettings(&Program{Settings: `{"grpcTls":"off","serverUrl":"http://c"}`}, environment("SCAVENGER_DATA_DIR=data"))
	if len(s.problems)+len(s.remarks) > 0 {
		t.Errorf("said %q, %q", s.problems, s.remarks)
	}
	s = loadSettings(&Program{Settings: `{"dataDir":"x"}`}, environment("SCAVENGER_CONFIG="+filepath.Join(t.TempDir(), "x.toml")))
	if len(s.problems) > 0 {
		t.Errorf("said %q", s.problems)
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "ab", 2}, {"abc", "abc", 0}, {"datadir", "data_dir", 1}, {"abc", "bc", 1}, {"abc", "axc", 1}, {"kitten", "sitting", 3}} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("distance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
