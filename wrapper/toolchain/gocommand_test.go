package toolchain

import (
	"slices"
	"strings"
	"testing"
)

func TestParseGoCommand(t *testing.T) {
	for _, test := range []struct{ args, with, gcflags, toolexec, dir, roots string }{
		{args: "build", with: "build T G"},
		{args: "-C d build -v .", with: "-C d build T G -v .", dir: "d", roots: "."},
		{args: "build -C=d -gcflags -N -o x . -gcflags=-l", with: "build -C=d T G -o x . -gcflags=-l", gcflags: "-N", dir: "d", roots: ". -gcflags=-l"},
		{args: "test -run -gcflags=x ./a -gcflags=-l -u y -toolexec=t -args -gcflags=-N", gcflags: "-l", toolexec: "t",
			with: "test T G -run -gcflags=x ./a -u y -args -gcflags=-N", roots: "./a"},
		{args: "run --gcflags=-l -- . -gcflags=-N", with: "run T G -- . -gcflags=-N", gcflags: "-l", roots: "."},
		// golden is an argument of the test binary, or the value of a flag that it has.
		{args: "test ./a -v golden -gcflags=-l", with: "test T G ./a -v golden -gcflags=-l", roots: "./a"},
		{args: "test ./a ./b -u golden -gcflags=-l", with: "test T G ./a ./b -u golden", gcflags: "-l", roots: "./a ./b"},
		{args: "test ./a -- -gcflags=-l", with: "test T G ./a -- -gcflags=-l", roots: "./a"},
	} {
		c, err := ParseGoCommand(strings.Fields(test.args))
		if err != nil {
			t.Errorf("%s: %v", test.args, err)
			continue
		}
		toolexec, _ := c.Value("toolexec")
		with := strings.Join(c.With("", []string{""}), " ")
		with = strings.Replace(with, "-toolexec= -gcflags=", "T G", 1)
		for _, field := range [][2]string{{with, test.with}, {strings.Join(c.Values("gcflags"), " "), test.gcflags},
			{toolexec, test.toolexec}, {c.Dir, test.dir}, {strings.Join(c.Roots(), " "), test.roots}} {
			if field[0] != field[1] {
				t.Errorf("%s: %q, want %q", test.args, field[0], field[1])
			}
		}
	}
	for _, args := range []string{"", "mod tidy", "generate", "-C d", "build -tags"} {
		if _, err := ParseGoCommand(strings.Fields(args)); err == nil {
			t.Errorf("%s: taken for a build", args)
		}
	}
}

// GOFLAGS may have flags that only some commands know.
func TestSetGOFLAGS(t *testing.T) {
	c := new(GoCommand)
	c.SetGOFLAGS([]string{"-race", "--tags=a", "-count=1", "-wonder"})
	var uses []FlagUse
	for _, f := range c.GOFLAGS {
		uses = append(uses, f.Use)
	}
	if want := []FlagUse{Kept, Kept, Dropped, 0}; !slices.Equal(uses, want) {
		t.Errorf("uses %v, want %v", uses, want)
	}
}
