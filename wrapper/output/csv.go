// The report as comma-separated values, for spreadsheets and databases.

package output

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// CSV writes a line for each function, with the fields that JSON has, below a line with
// their names. A field that is absent there is empty here, and a list is joined by ", ".
// Lines end in CR LF, as RFC 4180 has it.
//
// A spreadsheet takes text that begins with =, +, -, @, a tab or a line end for a formula,
// also where it is quoted. So such text gets an apostrophe in front, which says that it is
// none.
func CSV(w io.Writer, r *report.Report) error {
	buffer := bufio.NewWriterSize(w, buffered)
	out := csv.NewWriter(buffer)
	out.UseCRLF = true
	columns := csvColumns(reflect.TypeFor[report.Function](), nil)
	record := make([]string, len(columns))
	for i, c := range columns {
		record[i] = c.name
	}
	err := out.Write(record)
	for i := 0; i < len(r.Functions) && err == nil; i++ {
		f := reflect.ValueOf(&r.Functions[i]).Elem()
		for k, c := range columns {
			record[k] = ""
			if v := f.FieldByIndex(c.index); !c.optional || !v.IsZero() {
				record[k] = csvText(v)
			}
		}
		err = out.Write(record)
	}
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	if err == nil {
		err = buffer.Flush()
	}
	return err
}

// A csvColumn is a field of a function that JSON has.
type csvColumn struct {
	name     string
	index    []int
	optional bool // absent without a value
}

// csvColumns returns the fields of a type in the order of JSON. They are read from the type,
// so that no field of JSON is forgotten here.
func csvColumns(t reflect.Type, outer []int) (list []csvColumn) {
	for i := range t.NumField() {
		field := t.Field(i)
		index := append(slices.Clip(outer), i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous && name == "":
			list = append(list, csvColumns(field.Type, index)...)
		case name != "" && name != "-":
			list = append(list, csvColumn{name, index, strings.HasPrefix(options, "omit")})
		}
	}
	return list
}

// csvText returns what a field says, as JSON if it is neither text, number, list nor time.
func csvText(v reflect.Value) string {
	switch {
	case v.Kind() == reflect.String:
		return plainText(v.String())
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10)
	}
	switch value := v.Interface().(type) {
	case time.Time:
		return value.Format(time.RFC3339Nano)
	case []string:
		return plainText(strings.Join(value, ", "))
	}
	text, err := json.Marshal(v.Interface())
	if err != nil {
		return plainText(err.Error())
	}
	return string(text)
}

// plainText returns text that no spreadsheet takes for a formula.
func plainText(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}
