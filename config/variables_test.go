package config

import (
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestOptions(t *testing.T) {
	var got []string
	for _, v := range Options(" app_name = a=b; ;apKey=x;packages=p;y;host=h;url=http://$host/${app};app=a") {
		name := ""
		if v.Key != nil {
			name = v.Key.Name
		}
		got = append(got, v.Name+" "+name+" "+v.Nearest+" "+v.Value)
	}
	if want := []string{"app_name appName  a=b", "apKey  apiKey x", "packages packages  p", "y   ", "host   h", "url  serverUrl http://$host/${app}", "app   a"}; !slices.Equal(got, want) {
		t.Errorf("options %q, want %q", got, want)
	}
}

func TestVariables(t *testing.T) {
	var got []string
	for _, v := range Variables([]string{"PATH=x", "SCAVENGER_WRAP_LOG=x", "SCAVENGER_CONFIG=x", "SCAVENGER_SEVER_URL=x", "SCAVENGER_LICENSE_KEY=y", "SCAVENGER_ZZZZZZZZ=1", "SCAVENGER_PORT=tcp://10.0.0.1:80", "SCAVENGER_PLAIN_CACHE=off", "SCAVENGER_OPTION=x"}) {
		name := ""
		if v.Key != nil {
			name = v.Key.Name
		}
		got = append(got, v.Name+" "+name+" "+v.Nearest)
	}
	want := []string{"SCAVENGER_LICENSE_KEY apiKey ", "SCAVENGER_OPTION  SCAVENGER_OPTIONS", "SCAVENGER_PORT  ", "SCAVENGER_SEVER_URL  SCAVENGER_SERVER_URL", "SCAVENGER_ZZZZZZZZ  "}
	if !slices.Equal(got, want) {
		t.Errorf("variables %q, want %q", got, want)
	}
}

// What a running program would not take is known beforehand.
func TestWrongValues(t *testing.T) {
	environ := []string{"SCAVENGER_ENABLED=flase", "SCAVENGER_LOG_LEVEL=loud", "SCAVENGER_SCHEDULER_INTERVAL_SECONDS=ten", "SCAVENGER_SERVER_URL=ftp://u:password@c",
		"SCAVENGER_API_KEY=k", "SCAVENGER_DATA_DIR=$HOME/data", "SCAVENGER_LOG_FILE=~/log", "SCAVENGER_EXIT_TIMEOUT=$HOME", "SCAVENGER_MAPPING= ", "SCAVENGER_METHOD_VISIBILITY=x", "SCAVENGER_SCHEDULER_INITIAL_DELAY_SECONDS=5"}
	var got []string
	for _, v := range slices.Concat(Variables(environ), Options("mapping=disc;app_name=x;debugMode=TRUE;flushOnSignal=Off")) {
		if v.Wrong != nil {
			got = append(got, v.Name+": "+v.Wrong.Error())
		}
	}
	want := []string{
		`SCAVENGER_ENABLED: want true or false, have "flase"`,
		`SCAVENGER_LOG_FILE: want a path, have "~/log", and nothing replaces the "~": write $HOME or another variable, or ./~/log for that name`,
		`SCAVENGER_LOG_LEVEL: want one of warn, debug, info, error, have "loud"`,
		`SCAVENGER_SCHEDULER_INTERVAL_SECONDS: want a number of seconds, have "ten"`,
		"SCAVENGER_SERVER_URL: want a URL of the form http://host:port or https://host",
		`mapping: want one of memory, disk, none, have "disc"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("wrong are %q, want %q", got, want)
	}
}

// Only what is near to a variable that acts at build time is a build's business.
func TestMisspelled(t *testing.T) {
	got := Misspelled([]string{"SCAVENGER_PACKAGE=x", "SCAVENGER_PACKAGES=x", "SCAVENGER_DATADIR=x", "SCAVENGER_COLLECTOR_PORT=x", "SCAVENGER_EXCLUDE_PACKAGE=y",
		"SCAVENGER_WRAPLOG=x", "SCAVENGER_CONFG=x", "SCAVENGER_EXCLUDE=x", "SCAVENGER_WRAP_PACKAGES=x", "scavenger_packages=x", "SCAVENGER_CONF=x", "SCAVENGER_DIR=x", "SCAVENGER_OPTION=x", "SCAVENGER_CONFIG=x", "SCAVENGER_CONFIG_PORT=x", "SCAVENGER_WRAP_STARTD=x"})
	want := []string{
		"SCAVENGER_CONF is no setting; did you mean SCAVENGER_CONFIG?",
		"SCAVENGER_CONFG is no setting; did you mean SCAVENGER_CONFIG?",
		"SCAVENGER_EXCLUDE is no setting; did you mean SCAVENGER_EXCLUDE_PACKAGES?",
		"SCAVENGER_EXCLUDE_PACKAGE is no setting; did you mean SCAVENGER_EXCLUDE_PACKAGES?",
		"SCAVENGER_PACKAGE is no setting; did you mean SCAVENGER_PACKAGES?",
		"SCAVENGER_WRAPLOG is no setting; did you mean SCAVENGER_WRAP_LOG?",
		"SCAVENGER_WRAP_PACKAGES is no setting; did you mean SCAVENGER_PACKAGES?",
		"scavenger_packages is no setting; did you mean SCAVENGER_PACKAGES?",
	}
	if !slices.Equal(got, want) {
		t.Errorf("misspelled %q, want %q", got, want)
	}
}

// What people guess, and what is not ours.
func TestGuesses(t *testing.T) {
	for variable, want := range map[string]string{
		"SCAVENGER_DIR=x": "DATA_DIR", "SCAVENGER_URL=x": "SERVER_URL", "SCAVENGER_KEY=x": "API_KEY", "SCAVENGER_SERVER=x": "SERVER_URL",
		"SCAVENGER_HOST=x": "SERVER_URL", "SCAVENGER_COLLECTOR_URL=x": "SERVER_URL", "SCAVENGER_APIKEY=x": "API_KEY", "SCAVENGER_APP=x": "APP_NAME",
		"SCAVENGER_NAME=x": "APP_NAME", "SCAVENGER_ENV=x": "ENVIRONMENT", "SCAVENGER_DISABLED=x": "ENABLED", "SCAVENGER_INCLUDE_PACKAGES=x": "PACKAGES",
		"SCAVENGER_WRAP_DATA_DIR=x": "DATA_DIR", "SCAVENGER_CONFIG_FILE=x": "CONFIG", "scavenger_data_dir=x": "DATA_DIR", "scavenger.serverUrl=x": "SERVER_URL",
		"SCAVENGER_SERVER_PORT=8080": "SERVER_URL", "SCAVENGER_SERVER_PORT=tcp://10.0.0.1:80": "", "SCAVENGER_NAME=/web/scavenger": "", "SCAVENGER_NAME=shop": "APP_NAME", "SCAVENGER_SERVICE_HOST=x": "", "SCAVENGER_VERSION=1": "",
		"SCAVENGER_HOME=x": "", "SCAVENGER_COLLECTOR_PORT=1": "", "SCAVENGERS=x": "", "SCAVENGER_=x": "",
	} {
		name, _, _ := strings.Cut(variable, "=")
		if want != "" {
			want = variablePrefix + want
		}
		got := ""
		for _, v := range Variables([]string{variable}) {
			got = v.Nearest
			if v.Name != name || v.Key != nil && runtime.GOOS != "windows" {
				t.Errorf("%s is %+v", variable, v)
			}
		}
		if got != want && runtime.GOOS != "windows" {
			t.Errorf("%s is near to %q, want %q", variable, got, want)
		}
	}
	if got := Options("url=x;config=y")[0].Nearest; got != "serverUrl" {
		t.Errorf("in SCAVENGER_OPTIONS, url is near to %q", got)
	}
	if got := suggestion("dir"); got != "did you mean dataDir?" {
		t.Errorf("of a key dir a settings file says %q", got)
	}
}

// A guess is for one name, which there is, and is none itself.
func TestGuessesNames(t *testing.T) {
	names, seen := []string{"config"}, map[string]bool{}
	for _, n := range allNames() {
		names = append(names, n)
		seen[letters(n)] = true
	}
	for _, g := range guesses {
		if !slices.Contains(names, g.name) {
			t.Errorf("there is no %s", g.name)
		}
		for w := range strings.FieldsSeq(g.words) {
			if seen[w] {
				t.Errorf("%s, a guess for %s, is a name or another guess", w, g.name)
			}
			seen[w] = true
		}
	}
}
