package command

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEscaped(t *testing.T) {
	for text, want := range map[string]string{
		"plain äöü 日本 😀\n\tx":     "plain äöü 日本 😀\n\tx",
		"\x1b[31mred\x1b[0m":      `\u001b[31mred\u001b[0m`,
		"\x1b]0;title\a":          `\u001b]0;title\u0007`,
		"\u009b31m":               `\u009b31m`, // the same in one character
		"a\x7fb\bc\x00":           `a\u007fb\u0008c\u0000`,
		"over\rwritten":           `over\u000dwritten`,
		"dos\r\nlines\r\n":        "dos\r\nlines\r\n",
		"\u202ereversed\u2066":    `\u202ereversed\u2066`,
		"zero\u200bwidth\ufeff":   `zero\u200bwidth\ufeff`,
		"line\u2028end":           `line\u2028end`,
		"tag\U000E0041":           `tag\udb40\udc41`,
		"bad \xff\xc3 utf8":       `bad \xff\xc3 utf8`,
		"the replacement \uFFFD":  `the replacement \ufffd`,
		"a backslash \\u001b [1m": "a backslash \\u001b [1m",
	} {
		if got := Escaped(text); got != want {
			t.Errorf("Escaped(%q) = %q, want %q", text, got, want)
		}
	}
	if got, want := indented("a\nb\x1b", 2), "a\n  b\\u001b"; got != want {
		t.Errorf("indented = %q, want %q", got, want)
	}
}

// However a text is cut into pieces, it comes out as a whole would; and JSON means the
// same as before.
func FuzzPrinter(f *testing.F) {
	f.Add("a\x1b[1m\u009b\r\n\U000E0041\xff日本\r", uint8(1))
	f.Add("\xc3", uint8(2))
	f.Fuzz(func(t *testing.T, text string, size uint8) {
		var out strings.Builder
		p := &printer{to: &out}
		for rest := text; rest != ""; {
			n := min(len(rest), int(size)%5+1)
			if written, err := p.Write([]byte(rest[:n])); written != n || err != nil {
				t.Fatalf("wrote %d of %d, %v", written, n, err)
			}
			rest = rest[n:]
		}
		p.end()
		if got, want := out.String(), Escaped(text); got != want {
			t.Errorf("%q in pieces is %q, want %q", text, got, want)
		}
		for _, r := range strings.ReplaceAll(out.String(), "\r\n", "\n") {
			if hidden(r) {
				t.Errorf("%q has %U in it", out.String(), r)
			}
		}
		if !utf8.ValidString(text) {
			return
		}
		encoded, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var decoded string
		if err := json.Unmarshal([]byte(Escaped(string(encoded))), &decoded); err != nil || decoded != text {
			t.Errorf("%q is %q as JSON, %v", text, decoded, err)
		}
	})
}
