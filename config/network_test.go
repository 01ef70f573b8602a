package config

import (
	"strings"
	"testing"
)

// Without network code a program gets nothing of a collector, which publish may need.
func TestNetwork(t *testing.T) {
	const collector = "serverUrl = \"http://h\"\napiKey = \"k\"\n"
	for _, test := range []struct {
		name, file, variable string
		builtIn              string // the keys that are asked for, of those that are built in
		note                 string
	}{
		{name: "default", file: collector, builtIn: "serverUrl apiKey"},
		{name: "none", file: collector + "network = false\n", builtIn: "network", note: "scavenger.toml:1:1: serverUrl is for scavenger-wrap publish only"},
		{name: "variable", file: collector, variable: "false", builtIn: "network", note: "serverUrl is for scavenger-wrap publish only"},
		{name: "files", file: "dataDir = \"d\"\n", builtIn: "dataDir", note: "scavenger.toml:1:1: dataDir without a serverUrl"},
		{name: "files and none", file: "dataDir = \"d\"\nnetwork = false\n", builtIn: "dataDir network"},
		{name: "files, chosen", file: "dataDir = \"d\"\nnetwork = true\n", builtIn: "dataDir"},
		{name: "both", file: collector + "dataDir = \"d\"\n", builtIn: "serverUrl apiKey dataDir"},
	} {
		var variables []string
		if test.variable != "" { // a blank one would mean the default
			variables = []string{Variable("network"), test.variable}
		}
		c, err := load(tree(t, map[string]string{"go.mod": "module m\n", FileName: test.file}), variables...)
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		builtIn := c.BuiltIn()
		for _, key := range []string{"serverUrl", "apiKey", "dataDir", "network"} {
			if builtIn[key] != "" {
				keys = append(keys, key)
			}
		}
		if got := strings.Join(keys, " "); got != test.builtIn {
			t.Errorf("%s: %s is built in, want %s", test.name, got, test.builtIn)
		}
		if notes := strings.Join(c.Notes, "\n"); !strings.Contains(notes, test.note) || (test.note == "") != (notes == "") {
			t.Errorf("%s: notes %q, want %q", test.name, notes, test.note)
		}
	}
}
