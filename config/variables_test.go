package config

import (
	"slices"
	"testing"
)

func TestOptions(t *testing.T) {
	var got []string
	for _, v := range Options(" app_name = a=b; ;apKey=x;packages=p;y") {
		name := ""
		if v.Key != nil {
			name = v.Key.Name
		}
		got = append(got, v.Name+" "+name+" "+v.Nearest+" "+v.Value)
	}
	if want := []string{"app_name appName  a=b", "apKey  apiKey x", "packages packages  p", "y   "}; !slices.Equal(got, want) {
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

// Only what is near to a variable that acts at build time is a build's business.
func TestMisspelled(t *testing.T) {
	got := Misspelled([]string{"SCAVENGER_PACKAGE=x", "SCAVENGER_PACKAGES=x", "SCAVENGER_DATADIR=x", "SCAVENGER_COLLECTOR_PORT=x", "SCAVENGER_EXCLUDE_PACKAGE=y",
		"SCAVENGER_WRAPLOG=x", "SCAVENGER_CONFG=x", "SCAVENGER_OPTION=x", "SCAVENGER_CONFIG=x", "SCAVENGER_CONFIG_PORT=x", "SCAVENGER_WRAP_STARTD=x"})
	want := []string{
		"SCAVENGER_CONFG is no setting; did you mean SCAVENGER_CONFIG?",
		"SCAVENGER_EXCLUDE_PACKAGE is no setting; did you mean SCAVENGER_EXCLUDE_PACKAGES?",
		"SCAVENGER_PACKAGE is no setting; did you mean SCAVENGER_PACKAGES?",
		"SCAVENGER_WRAPLOG is no setting; did you mean SCAVENGER_WRAP_LOG?",
	}
	if !slices.Equal(got, want) {
		t.Errorf("misspelled %q, want %q", got, want)
	}
}
