package action

import (
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

func TestActionArgs(t *testing.T) {
	for _, test := range []struct {
		args, rest   []string
		config, next string
		err          string
	}{
		{[]string{"compile", "-o=x"}, []string{"compile", "-o=x"}, "", "", ""},
		{[]string{"-config=a b", "compile"}, []string{"compile"}, "a b", "", ""},
		{[]string{"-config=a", "--next='x y' z", "compile"}, []string{"compile"}, "a", "x y|z", ""},
		{[]string{"-next=z", "-config=a", "scan", "-format=json"}, []string{"scan", "-format=json"}, "a", "z", ""},
		{[]string{"-config", "a", "--next", "z", "compile", "-o"}, []string{"compile", "-o"}, "a", "z", ""},
		{[]string{"-config"}, []string{"-config"}, "", "", ""},
		{[]string{"-config", "a"}, nil, "", "", "no tool follows"},
		{[]string{"-config="}, nil, "", "", "want the settings file"},
		{[]string{"-config=a"}, nil, "", "", "no tool follows"},
		{[]string{"--help"}, []string{"--help"}, "", "", ""},
		{[]string{"-log-level=debug", "scan"}, []string{"-log-level=debug", "scan"}, "", "", ""},
		{nil, nil, "", "", ""},
	} {
		rest, flags, err := ParseFlags(append([]string{"scavenger-wrap"}, test.args...))
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%q: error %v, want %s", test.args, err, test.err)
			}
			continue
		}
		if err != nil || !slices.Equal(rest[1:], test.rest) || flags.Config != test.config || strings.Join(flags.Next, "|") != test.next {
			t.Errorf("%q: %q, %+v, %v", test.args, rest, flags, err)
		}
	}
}

// The flags that say where go.mod is reach the actions. They come from the command line
// or, if it has none, from GOFLAGS, where the last one counts.
func TestModuleFlags(t *testing.T) {
	for _, test := range []struct{ args, goflags, want string }{
		{"build .", "", ""},
		{"build -modfile=a.mod -overlay o.json .", "", "-modfile=a.mod -overlay=o.json"},
		{"build -modfile a.mod -modfile b.mod .", "-modfile=c.mod -overlay=o.json", "-modfile=b.mod -overlay=o.json"},
		{"build -modfile= .", "-modfile=c.mod", ""},
		{"test ./x --modfile=a.mod -args -overlay=o.json", "", "-modfile=a.mod"},
		{"run . -modfile=a.mod", "-v --modfile=c.mod -modfile=d.mod", "-modfile=d.mod"},
	} {
		c, err := toolchain.ParseGoCommand(strings.Fields(test.args))
		if err != nil {
			t.Fatalf("%s: %v", test.args, err)
		}
		c.SetGOFLAGS(strings.Fields(test.goflags))
		modFile, overlay := c.Module()
		words := ModuleFlags(modFile, overlay)
		if got := strings.Join(words, " "); got != test.want {
			t.Errorf("%s with GOFLAGS=%s: %q, want %q", test.args, test.goflags, got, test.want)
		}
		args, flags, err := ParseFlags(append(append([]string{"scavenger-wrap"}, words...), "/go/compile", "-p", "x"))
		if err != nil || len(args) != 4 || flags.modFile != modFile || flags.overlay != overlay {
			t.Errorf("%q: %q, %+v, %v", words, args, flags, err)
		}
	}
}
