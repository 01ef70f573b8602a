package datafile

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// An object is a kind of object that local files have.
type object interface {
	fields() []field
}

// functionObject is a function, whose fields are an array.
type functionObject struct{ Function }

func (f *functionObject) fields() []field {
	fields := f.Function.fields()
	return fields[:]
}

// newObjects returns an empty object of each kind.
func newObjects() []object {
	return []object{&CodebaseHeader{}, &functionObject{}, &Header{}, &MarksHeader{}, &oldHeader{}}
}

// objectTexts are what encoding/json has to say something about. %s is the key of a string,
// %n that of a number.
var objectTexts = []string{
	`{"package":"p","receiver":"*T","name":"F","signature":"p.F(<-chan int)","hash":"00","file":"a.go","line":12,"lines":3,"reason":"nosplit"}` + "\n",
	`{"format":1,"fingerprint":"00","functions":2,"unlisted":"func() fmt example.com/a:New,Cart.Add"}` + "\n",
	`{"package":"p","name":"F","generated":true,"directive":"keep runs on 31 December"}`,
	`{"format":3,"fingerprint":"00","functions":2,"uid":-1,"appName":"Größe","kept":2,"rangesCrc":4294967295,"size":9223372036854775807,"locked":true}`,
	`{"%s":"","%s":"F"}`, `{"%s":"F","%s":"G"}`, `{"%s":"F","%s":null}`, `{"%s":1}`, `{"%s":true}`, `{"%s":{}}`, `{"%s":[]}`,
	`{"%n":1,"%n":2}`, `{"%n":01}`, `{"%n":-1}`, `{"%n":-0}`, `{"%n":0}`, `{"%n":1.0}`, `{"%n":1e2}`, `{"%n":null}`, `{"%n":}`, `{"%n":-}`, `{"%n":"1"}`,
	`{"%n":255}`, `{"%n":256}`, `{"%n":4294967296}`, `{"%n":9223372036854775807}`, `{"%n":9223372036854775808}`, `{"%n":-9223372036854775809}`, `{"%n":1_0}`,
	`{"locked":1}`, `{"locked":false,"locked":true}`, `{"generated":tru}`, `{"generated":falsey}`, `{"generated":null}`,
	` { "%s" : "F" , "%n" : 1 } ` + "\t\r\n", `{"%s":"F"`, `{"%s":"F",}`, `{,"%s":"F"}`, `{"%s":"F"} x`, `{"%s":"F`, `{"%s`, `{"%s"`, `{"%s" "F"}`, `{%s:"F"}`,
	`{"%s":"F\u0041\"\\\/\b\f\n\r\t"}`, `{"%s":"\u00"}`, `{"%s":"\u+123"}`, `{"%s":"\x41"}`, `{"%s":"F\"}`, `{"%s":"\`, `{"%s":"\u`,
	`{"%s":"\ud83d\ude00"}`, `{"%s":"\ud83d"}`, `{"%s":"\ud83dx"}`, `{"%s":"\ud83d\u0041"}`, `{"%s":"\ude00\ud83d"}`, `{"%s":"\ud83d\ud83d\ude00"}`, `{"%s":"\ud83d\n"}`,
	"{\"%s\":\"F\x01\"}", "{\"%s\":\"ü\x01\"}", "{\"%s\":\"F\xff\"}", "{\"%s\":\"F\xed\xa0\x80\"}", "{\"%s\":\"F\x7f\u2028\"}", "{\"%s\":\"F\ufffd\"}", "{\"%s\":\"F\"}\xff",
	`{"PACKAGE":"p","NAME":"F","FORMAT":1}`, `{"FORMAT":1,"format":2}`, `{"format":1,"FORMAT":2}`, `{"ſtamps":1,"ſize":2}`, `{"\u0070ackage":"p"}`, "{\"package\xff\":\"p\"}",
	`{"later":"x"}`, `{"later":{"a":[1,-2.5e+3,{"b":null}],"c":{}}}`, `{"later":[]}`, `{"later":[1,]}`, `{"later":[1 2]}`, `{"later":{"a"}}`, `{"later":[}`, `{"later":{]}`, `{"later":1.}`, `{"later":.5}`, `{"later":1e}`, `{"later":+1}`, `{"later":nul}`, `{"later":true,"later":false}`, `{"later":"\u12"}`,
	`{}`, ``, ` `, `null`, ` null `, `nullx`, `[]`, `[{}]`, `1`, `"x"`, `{"":""}`, `{}{}`, `{"%s":"F"}{`, `x`,
}

// withKeys returns a text with keys of an object.
func withKeys(text string, number, word string) string {
	return strings.NewReplacer("%s", word, "%n", number).Replace(text)
}

// What is read of a text is what encoding/json reads, and is an error where that has one.
func TestReadObject(t *testing.T) {
	numbers := []string{"format", "line", "lines", "uid", "kept", "rangesCrc", "size"}
	for _, text := range objectTexts {
		for i, key := range numbers {
			compareRead(t, []byte(withKeys(text, key, []string{"package", "receiver", "name", "appName", "main", "process", "fingerprint"}[i])))
		}
	}
	for _, open := range []string{"[", `{"a":`} {
		for _, n := range []int{maxDepth - 1, maxDepth} {
			end := strings.Repeat(map[string]string{"[": "]"}[open]+strings.Repeat("}", strings.Count(open, "{")), n)
			compareRead(t, []byte(`{"later":`+strings.Repeat(open, n)+"0"+end+"}"))
		}
	}
}

func FuzzReadObject(f *testing.F) {
	for _, text := range objectTexts {
		f.Add([]byte(withKeys(text, "format", "fingerprint")))
		f.Add([]byte(withKeys(text, "kept", "name")))
	}
	f.Fuzz(func(t *testing.T, text []byte) { compareRead(t, text) })
}

// compareRead reads a text as each kind of object, and as strings. The fields of the object
// have values, as those of the line before.
func compareRead(t *testing.T, text []byte) {
	t.Helper()
	empty := newObjects()
	for i, got := range newObjects() {
		fill(rand.New(rand.NewPCG(1, 2)), got)
		want := empty[i]
		gotErr, wantErr := readObject(text, got.fields()), json.Unmarshal(text, want)
		if (gotErr == nil) != (wantErr == nil) || gotErr == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%T of %q: %+v, %v; encoding/json has %+v, %v", got, text, got, gotErr, want, wantErr)
		}
	}
	var want map[string]string
	got, gotErr := ReadStrings(text)
	wantErr := json.Unmarshal(text, &want)
	if (gotErr == nil) != (wantErr == nil) || gotErr == nil && !maps.Equal(got, want) {
		t.Errorf("strings of %q: %q, %v; encoding/json has %q, %v", text, got, gotErr, want, wantErr)
	}
}

// What is written of an object is, byte for byte, what encoding/json writes, and is read
// again as what it was.
func TestAppendObject(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		for i, o := range newObjects() {
			fill(random, o)
			var want bytes.Buffer
			enc := json.NewEncoder(&want)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(o); err != nil {
				t.Fatal(err)
			}
			got := appendObject(nil, o.fields())
			if string(got)+"\n" != want.String() {
				t.Fatalf("%+v:\n%q\n%q, says encoding/json", o, got, want.String())
			}
			again, wanted := newObjects()[i], newObjects()[i]
			if err := json.Unmarshal(got, wanted); err != nil {
				t.Fatal(err)
			}
			if err := readObject(got, again.fields()); err != nil || !reflect.DeepEqual(again, wanted) {
				t.Fatalf("%s is read as %+v, %v", got, again, err)
			}
		}
	}
}

// fill sets the fields of an object that encoding/json knows, found by reflection, so that
// one is noticed that the table of fields lacks.
func fill(random *rand.Rand, o any) {
	pieces := []string{"a", "<&>", `"\`, "\n\t\b\f\r\x00\x1f\x7f", "Größe", "한국", "😀", "\u2028\u2029", "\ufffd", "\xff", "\xed\xa0\x80", "/"}
	var set func(v reflect.Value)
	set = func(v reflect.Value) {
		empty := random.IntN(4) == 0
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				if f := v.Type().Field(i); f.IsExported() {
					set(v.Field(i))
				}
			}
		case reflect.String:
			s := ""
			for n := random.IntN(4); n > 0 && !empty; n-- {
				s += pieces[random.IntN(len(pieces))]
			}
			v.SetString(s)
		case reflect.Bool:
			v.SetBool(!empty)
		case reflect.Int, reflect.Int64:
			v.SetInt([]int64{0, 1, -1, int64(random.Int()), math.MaxInt32, math.MinInt32}[random.IntN(6)])
		case reflect.Uint8, reflect.Uint32:
			v.SetUint([]uint64{0, 1, 1<<v.Type().Bits() - 1}[random.IntN(3)])
		default:
			panic(v.Type())
		}
	}
	set(reflect.ValueOf(o).Elem())
}

// Names that repeat from line to line are not allocated again.
func TestFunctionAllocations(t *testing.T) {
	line := []byte(`{"package":"example.com/app","receiver":"*T","name":"F","signature":"example.com.app.T.F()","hash":"00","file":"a.go","line":12}` + "\n")
	var f Function
	fields := f.fields()
	if n := testing.AllocsPerRun(100, func() {
		if err := readFunction(line, &f, fields[:], func(*Function) error { return nil }); err != nil {
			t.Error(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations for the line that was there before", n)
	}
}
