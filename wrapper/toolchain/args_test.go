package toolchain

import (
	"slices"
	"strings"
	"testing"
)

func TestFlags(t *testing.T) {
	args := []string{"-o", "x.a", "-p=example.com/a", "--trimpath", "/d=>", "-race", "-msan=false", "-c=4", "a.go", "b.go"}
	for name, want := range map[string]string{"-o": "x.a", "-p": "example.com/a", "-trimpath": "/d=>", "-c": "4", "-importcfg": ""} {
		if got, ok := FlagValue(args, name); got != want || ok != (want != "") {
			t.Errorf("flagValue(%s) = %q, %v, want %q", name, got, ok, want)
		}
	}
	for name, want := range map[string]bool{"-race": true, "-msan": false, "-std": false} {
		if got := HasFlag(args, name); got != want {
			t.Errorf("hasFlag(%s) = %v", name, got)
		}
	}
	flags, files := SplitSources(args)
	if want := []string{"a.go", "b.go"}; !slices.Equal(files, want) || len(flags) != len(args)-2 {
		t.Errorf("splitSources = %q, %q", flags, files)
	}
}

func TestSetFlag(t *testing.T) {
	for _, test := range []struct{ args, want []string }{
		{[]string{"-importcfg", "a", "x.go"}, []string{"-importcfg", "new", "x.go"}},
		{[]string{"-importcfg=a", "x.go"}, []string{"-importcfg=new", "x.go"}},
		{[]string{"--importcfg", "a"}, []string{"--importcfg", "new"}},
		{[]string{"x.go"}, []string{"-importcfg", "new", "x.go"}},
	} {
		before := slices.Clone(test.args)
		if got := SetFlag(test.args, "-importcfg", "new"); !slices.Equal(got, test.want) {
			t.Errorf("setFlag(%q) = %q, want %q", test.args, got, test.want)
		}
		if !slices.Equal(before, test.args) {
			t.Errorf("setFlag changed its argument: %q", test.args)
		}
	}
}

func TestSplitSourcesEnds(t *testing.T) {
	for _, test := range []struct {
		args  string
		files int
	}{
		{"-p main -importcfg cfg -pack /a/x.go /a/y.go", 2},
		{"-p main -pack -asmhdr go_asm.h /a/x.go", 1},
		{"-p main -pack /tmp/overlaid.txt /a/y.go", 2}, // -overlay
		{"-p main -embedcfg cfg overlaid", 1},
		{"-p=main -o=out.a overlaid", 1},
		{"-p main -- x.go y", 2},
		{"-p main -newflag value x.go", 1},
		{"-p main -newflag x.go", 1},
		{"-p main -o x.a", 0},
		{"-V=full", 0},
	} {
		args := strings.Fields(test.args)
		flags, files := SplitSources(args)
		if len(files) != test.files || len(flags)+len(files) != len(args) {
			t.Errorf("splitSources(%s) = %q, %q, want %d files", test.args, flags, files, test.files)
		}
	}
}

// The flags that the go command sets on its own make the compiler print nothing.
func TestGivenMore(t *testing.T) {
	for args, want := range map[string]bool{
		"-p main -o x.a -pack -complete -c=4 --std": false,
		"-race -shared -dynlink":                    false,
		"-coveragecfg cfg -pgoprofile=p":            false,
		"-D -m":                                     false, // a value
		"-p main -m":                                true,
		"-N":                                        true,
		"-p=main --d=checkptr":                      true,
	} {
		if got := GivenMore(strings.Fields(args)); got != want {
			t.Errorf("GivenMore(%s) = %v", args, got)
		}
	}
}

func TestPackagePath(t *testing.T) {
	for _, test := range []struct{ toolexec, p, want string }{
		{"example.com/app", "main", "example.com/app"},
		{"example.com/app [example.com/app.test]", "example.com/app", "example.com/app"},
		{"", "example.com/bazel", "example.com/bazel"},
	} {
		if got := PackagePath(test.toolexec, test.p); got != test.want {
			t.Errorf("packagePath(%q, %q) = %q, want %q", test.toolexec, test.p, got, test.want)
		}
	}
}
