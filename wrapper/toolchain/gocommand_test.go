package toolchain

import (
	"strings"
	"testing"
)

func TestSplitGoCall(t *testing.T) {
	for _, test := range []struct{ args, before, after, gcflags, toolexec, dir string }{
		{args: "build", before: "build"},
		{args: "-C d build -v .", before: "-C d build", after: "-v .", dir: "d"},
		{args: "build -C=d -gcflags -N -o x . -gcflags=-l", before: "build -C=d", after: "-o x . -gcflags=-l", gcflags: "-N", dir: "d"},
		{args: "test -run -gcflags=x ./a -gcflags=-l -u y -toolexec=t -args -gcflags=-N", before: "test",
			after: "-run -gcflags=x ./a -u y -args -gcflags=-N", gcflags: "-l", toolexec: "t"},
		{args: "run --gcflags=-l -- . -gcflags=-N", before: "run", after: "-- . -gcflags=-N", gcflags: "-l"},
	} {
		c, ok := SplitGoCall(strings.Fields(test.args))
		if !ok {
			t.Errorf("%s: not taken apart", test.args)
			continue
		}
		for _, field := range [][2]string{{strings.Join(c.before, " "), test.before}, {strings.Join(c.after, " "), test.after},
			{strings.Join(c.Gcflags, " "), test.gcflags}, {deref(c.toolexec), test.toolexec}, {c.Dir, test.dir}} {
			if field[0] != field[1] {
				t.Errorf("%s: %q, want %q", test.args, field[0], field[1])
			}
		}
	}
	for _, args := range []string{"", "mod tidy", "generate", "-C d", "build -tags"} {
		if _, ok := SplitGoCall(strings.Fields(args)); ok {
			t.Errorf("%s: taken for a build", args)
		}
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
