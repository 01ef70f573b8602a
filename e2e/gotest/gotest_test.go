package main

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// TestSample compares some programs, inert and reporting.
func TestSample(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs programs twice")
	}
	ctx := context.Background()
	o := &options{dataDir: true, parallel: 2, limit: 2 * time.Minute}
	if err := o.prepare(ctx, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(o.goroot, "test")); err != nil {
		t.Skip("this Go comes without its test programs")
	}
	names := always
	if program.Named(t) {
		names = sample
	}
	subjects, err := choose(o.goroot, names)
	if err != nil {
		t.Fatal(err)
	}
	if o.wrapper, err = program.BuildWrapper(ctx, o.dir); err != nil {
		t.Fatal(err)
	}
	reported := 0
	results, err := compareAll(ctx, o, subjects, func(r result) {
		switch r.verdict {
		case different, notBuilt:
			t.Error(r)
		case unstable:
			t.Log(r)
		}
		if r.reported {
			reported++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	// Some end before their main does.
	if reported < len(results)*9/10 {
		t.Errorf("%d of %d programs have reported: what was compared is not what was meant", reported, len(results))
	}
}

func TestJudge(t *testing.T) {
	ok, other := &outcome{status: "exit status 0"}, &outcome{status: "exit status 0", stdout: "other"}
	failed := &outcome{status: "exit status 2"}
	for _, test := range []struct {
		name          string
		plain, marked []*outcome
		want          verdict
	}{
		{"same", []*outcome{ok}, []*outcome{ok}, same},
		{"never the same", []*outcome{ok, ok, ok, ok}, []*outcome{other, other, other, other}, different},
		{"sometimes the same", []*outcome{ok, ok, ok, ok}, []*outcome{other, ok, other, ok}, different},
		{"once not the same", []*outcome{ok, ok, ok, ok}, []*outcome{other, ok, ok, ok}, unstable},
		{"plain not always the same", []*outcome{ok, other, ok, ok}, []*outcome{other, ok, other, other}, unstable},
		{"never ends the same", []*outcome{ok, other, ok, ok}, []*outcome{failed, failed, failed, failed}, different},
	} {
		r := result{verdict: same}
		tr := trial{plain: test.plain, variants: []variant{{marked, test.marked}}}
		if tr.judge(&r); r.verdict != test.want {
			t.Errorf("%s: %s, want %s", test.name, r.verdict, test.want)
		}
	}
}

func TestDiffInits(t *testing.T) {
	want := &outcome{inits: []initTask{{"internal/bytealg", false}, {modulePath + "/p/a", true}, {"time", true}}}
	for _, test := range []struct {
		name string
		got  []initTask
		same bool
	}{
		{"the same", want.inits, true},
		{"others between", []initTask{{"internal/bytealg", false}, {"net", true}, {modulePath + "/p/a", true}, {"time", true}, {"net/http", true}, markedMain}, true},
		{"one moved", []initTask{{modulePath + "/p/a", true}, {"internal/bytealg", false}, {"time", true}}, false},
		{"one missing", []initTask{{"internal/bytealg", false}, {modulePath + "/p/a", true}}, false},
		{"one more of the program's", append([]initTask{{modulePath + "/p/b", false}}, want.inits...), false},
		{"main makes a variable", append(want.inits[:3:3], initTask{"main", true}), false},
		{"a package does not make one", []initTask{{"internal/bytealg", false}, {modulePath + "/p/a", false}, {"time", true}}, false},
	} {
		if diff := want.diff(&outcome{inits: test.got}); (diff == "") != test.same {
			t.Errorf("%s: %q", test.name, diff)
		}
	}
}

func TestParse(t *testing.T) {
	for _, test := range []struct {
		recipe      string
		flags, args []string
		env, more   []string
	}{
		{recipe: "run"},
		{recipe: "run arg1 arg2", args: []string{"arg1", "arg2"}},
		{recipe: "run -gcflags='all=-N -l'", flags: []string{"-gcflags=all=-N -l"}},
		{recipe: "run -gcflags -l=4", flags: []string{"-gcflags=-l=4"}},
		{recipe: "run -race -gcflags=all=-d=checkptr=0", flags: []string{"-race", "-gcflags=all=-d=checkptr=0"}},
		{recipe: "run -goexperiment fieldtrack", env: []string{"GOEXPERIMENT=fieldtrack"}},
		{recipe: "run cmplxdivide1.go", more: []string{"cmplxdivide1.go"}},
		{recipe: "runoutput ./rotate.go", more: []string{"rotate.go"}},
		{recipe: "rundir -l=4", flags: []string{"-gcflags=" + modulePath + "/...=-l=4"}},
		{recipe: "rundir -ldflags -strictdups=2 -w=0", flags: []string{"-ldflags=-strictdups=2 -w=0"}},
	} {
		words := splitQuoted(test.recipe)
		s := subject{action: words[0]}
		s.parse(words[1:])
		want := subject{action: words[0], flags: test.flags, args: test.args, env: test.env, more: test.more}
		if !reflect.DeepEqual(s, want) {
			t.Errorf("%s: %+v, want %+v", test.recipe, s, want)
		}
	}
}
