package datafile

import (
	"encoding/json"
	"testing"
)

// lines are what encoding/json has to say something about, and whether it is asked.
var functionLines = []struct {
	line  string
	plain bool
}{
	{`{"package":"example.com/app","receiver":"*T","name":"F","signature":"example.com.app.T.F()","hash":"00","file":"a.go","line":12,"lines":3,"reason":"nosplit"}` + "\n", true},
	{`{"package":"p","name":"F","signature":"p.F(<-chan int)","hash":"","file":"a.go","line":0}`, true},
	{`{"name":"","name":"F","package":"p"}`, true},
	{`{"package":"p","name":"F","line":1,"presumed":1796000000000,"evidence":"report.json"}`, true},
	{`{"package":"p","name":"F","presumed":1234567890123456}`, false},
	{`{"name":"F","name":"G","package":"p"}`, false},
	{`{"package":"p","name":"F","line":1,"line":2}`, false},
	{`{"package":"p","name":"F","line":01}`, false},
	{`{"package":"p","name":"F","line":-1}`, false},
	{`{"package":"p","name":"F","line":1234567890}`, false},
	{`{"package":"p","name":"F","line":1.0}`, false},
	{`{"package":"p","name":"F","line":null}`, false},
	{`{"package":"p","name":"F","line":}`, false},
	{`{"package":"p","name":1}`, false},
	{`{"package":"p", "name":"F"}`, false},
	{`{"package":"p","name":"F"`, false},
	{`{"package":"p","name":"F",}`, false},
	{`{"package":"p","name":"F"} `, false},
	{`{"package":"p","name":"F`, false},
	{`{"package":"p","name"`, false},
	{`{"package":"p","name":"F\u0041"}`, false},
	{`{"package":"p","name":"F\"}`, false},
	{"{\"package\":\"p\",\"name\":\"F\x01\"}", false},
	{"{\"package\":\"p\",\"name\":\"F\xff\"}", false},
	{`{"package":"p","name":"Größe"}`, false},
	{`{"PACKAGE":"p","name":"F"}`, false},
	{`{"package":"p","name":"F","later":"x"}`, false},
	{`{}`, false},
	{``, false},
	{`null`, false},
}

// A line that is read without encoding/json is what encoding/json reads.
func TestFunctionLine(t *testing.T) {
	before := Function{Package: "p", Receiver: "*T", Name: "F", Signature: "s", Hash: "00", File: "a.go", Line: 7, Lines: 8, Reason: "r", Presumed: 9, Evidence: "e"}
	for _, test := range functionLines {
		if plain := new(Function).parsePlain([]byte(test.line), &before); plain != test.plain {
			t.Errorf("%s: plain %v, want %v", test.line, plain, test.plain)
		}
		compareParse(t, before, test.line)
	}
}

func FuzzFunctionLine(f *testing.F) {
	for _, test := range functionLines {
		f.Add("p", test.line)
	}
	f.Fuzz(func(t *testing.T, before, line string) {
		compareParse(t, Function{Package: before, Name: before, Signature: before, Line: len(before)}, line)
	})
}

func compareParse(t *testing.T, before Function, line string) {
	t.Helper()
	got, want := before, Function{}
	gotErr, wantErr := got.parse([]byte(line)), json.Unmarshal([]byte(line), &want)
	if (gotErr == nil) != (wantErr == nil) || gotErr == nil && got != want {
		t.Errorf("%s: %+v, %v; encoding/json has %+v, %v", line, got, gotErr, want, wantErr)
	}
}
