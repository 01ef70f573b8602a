package command

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSettingsDataDir(t *testing.T) {
	const usage = "name the directory that SCAVENGER_DATA_DIR named, or set it here"
	for _, test := range []struct {
		name, toml string
		environ    []string
		want, err  string
	}{
		{"nothing", "", nil, "", usage},
		{"a variable", "", []string{"SCAVENGER_DATA_DIR= data "}, "data", ""},
		{"options", "", []string{"SCAVENGER_OPTIONS=data_dir=x"}, "x", ""},
		{"the settings", `dataDir = "y"`, nil, "y", ""},
		{"a variable before the settings", `dataDir = "y"`, []string{"SCAVENGER_DATA_DIR=data"}, "data", ""},
		{"a blank variable", `dataDir = "y"`, []string{"SCAVENGER_DATA_DIR="}, "", usage},
		{"a variable in a value", `dataDir = "${TEST_DIR}/y"`, []string{"TEST_DIR=/x"}, "/x/y", ""},
		{"an unknown variable", `dataDir = "$NO_SUCH_DIR/y"`, nil, "", "has $NO_SUCH_DIR in it"},
		{"keys in a value", "appName = \"shop\"\ndataDir = \"y-${appName}-$environment\"", []string{"SCAVENGER_OPTIONS=environment=test"}, "y-shop-test", ""},
		{"a key in a variable", `appName = "shop"`, []string{"SCAVENGER_DATA_DIR=y-$appName"}, "y-shop", ""},
		{"a variable before a key", `appName = "shop"`, []string{"SCAVENGER_DATA_DIR=y/$appName", "appName=x"}, "y/x", ""},
		{"a name with a hyphen", "", []string{"SCAVENGER_DATA_DIR=y/$A-B", "A=x"}, "", "has $A-B in it"},
		{"a tilde out of a variable", `dataDir = "$TEST_DIR/y"`, []string{"TEST_DIR=~"}, "", `dataDir: want a path, have "~/y"`},
		{"a tilde", "", []string{"SCAVENGER_DATA_DIR=~/data"}, "", `dataDir: want a path, have "~/data", and nothing replaces the "~": write $HOME`},
		{"a tilde in the settings", `dataDir = "~/data"`, nil, "", `scavenger.toml:1:1: dataDir: want a path, have "~/data"`},
		{"wrong settings", `dataDr = "y"`, nil, "", "unknown key"},
		{"a variable beside wrong settings", `dataDr = "y"`, []string{"SCAVENGER_DATA_DIR=data"}, "data", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			for name, text := range map[string]string{"go.mod": "module example.com/app\n", "scavenger.toml": test.toml} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			for _, e := range test.environ {
				name, value, _ := strings.Cut(e, "=")
				t.Setenv(name, value)
			}
			got, err := new(commands).settingsDataDir()
			if test.err == "" && (err != nil || got != test.want) {
				t.Errorf("%q, %v, want %q", got, err, test.want)
			}
			if test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("%q, %v, want the error %q", got, err, test.err)
			}
			var wrong usageError
			if isUsage := errors.As(err, &wrong); isUsage != (test.err == usage) {
				t.Errorf("%v is an error of usage: %v", err, isUsage)
			}
		})
	}
}
