// How a Go function appears in Scavenger.
//
// The collector takes any text, but its API cuts a signature into a tree at dots, its web
// page puts the pieces into URLs and shortens parameters at dots and parentheses, and one
// bad signature breaks the view of a whole workspace. The mapping:
//
//	github.com/acme/shop/cart.(*Server).Close     github.com.acme.shop.cart.Server.Close()
//	github.com/acme/shop/cart.(*store).Get        github.com.acme.shop.cart.store~type.Get(string)
//	github.com/acme/shop/cart.Add                 github.com.acme.shop.cart.func.Add(Item,int)
//	gopkg.in/yaml.v3.Unmarshal                    gopkg.in.yaml·v3.func.Unmarshal([]byte,any)
//
// So a dot is a step in the tree, and stands for a slash. Any other dot of Go's is a
// middle dot, but for those of a host, which everybody types. Two packages, types or
// functions are never one node: what could be read in two ways has a tilde, which no
// import path has in practice.
//
//	~_      nothing; it sets a directory apart from a host, a type or func
//	~2b     a byte that must not be there, in hexadecimal
//	~type   the segment before it is a type, and no directory
//	~h      what was too long is cut, and has a hash instead
//
// "func" cannot be the name of a type. It is the class of functions without a
// receiver, so that a package is always a package in the tree and never a class.

package hitrt

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// Limits in bytes, below those of the collector's columns in characters.
const (
	maxType      = 256 // methods.declaringType
	maxClass     = 120
	maxName      = 200
	maxSignature = 900 // the UI groups by the first 1024
)

// packagePart returns the display form of an import path. Different paths have different
// ones.
func packagePart(path string) string {
	first, rest, more := strings.Cut(path, "/")
	host := isHost(first)
	b := make([]byte, 0, len(path)+8)
	if host {
		b = append(b, first...)
	} else {
		b = appendElement(b, first)
	}
	// The package of a host alone has no classes that look like directories: see classPart.
	owner := strings.Contains(first, ".")
	for more {
		var element string
		element, rest, more = strings.Cut(rest, "/")
		b = appendElement(append(b, '.'), element)
		if element == "func" || !host && endsHost(element) || !owner && likeType(element) {
			b = append(b, "~_"...)
		}
		owner = false
	}
	return string(b)
}

// appendElement appends one element of an import path. It makes it end in a word
// character: the API does not see a dot after any other character as a step.
func appendElement(b []byte, element string) []byte {
	b = appendName(b, element)
	if element == "" || !wordChar(b[len(b)-1]) {
		b = append(b, "~_"...)
	}
	return b
}

// displayName returns the display form of a name, most often the name itself.
func displayName(name string) string {
	for i := range len(name) {
		if !wordChar(name[i]) {
			return string(appendName(nil, name))
		}
	}
	return name
}

// appendName appends a name or an element of an import path. Bytes that neither can have it
// writes as hexadecimal digits.
func appendName(b []byte, s string) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == '.':
			b = append(b, "·"...)
		case r == '-' || identifierRune(r):
			b = append(b, s[:n]...)
		default:
			for i := range n {
				b = datafile.AppendHex(append(b, '~'), []byte{s[i]})
			}
		}
		s = s[n:]
	}
	return b
}

// isHost reports whether the first element of an import path is a host whose dots stay as
// they are: a reader takes the first segment that endsHost for the end of one.
func isHost(element string) bool {
	rest, more := element, true
	for i := 0; more; i++ {
		var label string
		label, rest, more = strings.Cut(rest, ".")
		if label == "" || label == "func" || i == 0 && !more || i > 0 && endsHost(label) == more {
			return false
		}
		for j := range len(label) {
			c := label[j]
			if upper(c) || !wordChar(c) && (c != '-' || j == len(label)-1) {
				return false
			}
		}
	}
	return true
}

// endsHost reports whether a segment ends a host. These are the endings of nearly all
// hosts that import paths begin with, and seldom the names of directories.
func endsHost(segment string) bool {
	switch segment {
	case "com", "dev", "in", "io", "net", "org":
		return true
	}
	return false
}

// likeType reports whether an element of an import path may also be an exported type.
func likeType(s string) bool {
	return s != "" && upper(s[0]) && wordChar(s[len(s)-1]) && strings.IndexFunc(s, func(r rune) bool { return !identifierRune(r) }) < 0
}

// classPart returns the display form of a receiver in the package with that display form,
// "func" if there is none.
func classPart(pkg, receiver string) string {
	base := baseType(receiver)
	if base == "" {
		return "func"
	}
	class := shorten(displayName(base), maxClass)
	// Below a host, directories may look like types: packagePart has no mark for them.
	belowHost := isHost(pkg) || strings.Contains(pkg, "·") && !strings.Contains(pkg, ".")
	if belowHost || !likeType(base) {
		class += "~type"
	}
	return class
}

// baseType returns a receiver's type without star and type parameters.
func baseType(receiver string) string {
	base, _, _ := strings.Cut(strings.TrimLeft(receiver, "*"), "[")
	return base
}

// declaringType joins a package part and a class part. It shortens the package part,
// the only one that is long in practice, to the column's limit.
func declaringType(pkg, receiver string) string {
	class := classPart(pkg, receiver)
	return shorten(pkg, maxType-len(class)-1) + "." + class
}

// signature returns what the UI shows of a function.
func signature(declaringType, name, params string) string {
	s := declaringType + "." + methodName(name) + "("
	p := parameters(params)
	if len(s)+len(p)+1 > maxSignature {
		p = "…"
	}
	return s + p + ")"
}

// parameters returns the display form of parameter types. The page drops what is before a
// dot or a dollar and behind a second parenthesis, so they have none. What has the form
// already stays as it is.
func parameters(params string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '.':
			return '·'
		case '(':
			return '❨'
		case ')':
			return '❩'
		case '$':
			return '_'
		}
		return printableRune(r)
	}, strings.ReplaceAll(params, "...", "…"))
}

// methodName returns the display form of a function's name. Dots in the name of a
// function literal would make its function a class.
func methodName(name string) string {
	if name == "" {
		return "~_"
	}
	return shorten(displayName(name), maxName)
}

// signatureHash returns the hash that identifies a function in a workspace. Parameters
// and the receiver's star are not in it: Go has no overloading, and a function whose
// parameters changed is the same function.
func signatureHash(path, receiver, name string) [16]byte {
	b := make([]byte, 0, 128)
	b = append(b, path...)
	b = append(b, '.')
	if base := baseType(receiver); base != "" {
		b = append(b, '(')
		b = append(b, base...)
		b = append(b, ")."...)
	}
	return md5Sum(append(b, name...))
}

// exported reports whether a Go name is exported. The name of a function literal,
// which contains a dot or a hyphen, is not.
func exported(name string) bool {
	r, _ := utf8.DecodeRuneInString(name)
	return unicode.IsUpper(r) && !strings.ContainsAny(name, ".-")
}

// wordChar reports whether c is what a regular expression calls \w in ASCII.
func wordChar(c byte) bool {
	return 'a' <= c && c <= 'z' || upper(c) || '0' <= c && c <= '9' || c == '_'
}

func upper(c byte) bool { return 'A' <= c && c <= 'Z' }

// identifierRune reports whether r can be in a Go identifier.
func identifierRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// shorten cuts s to at most n bytes. It replaces what it cuts off by a hash of the
// whole text, so that different texts stay different.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	sum := md5Sum([]byte(s))
	tail := "~h" + datafile.Hex(sum[:4])
	head := strings.ToValidUTF8(s[:n-len(tail)], "")
	return strings.TrimRight(head, ".") + tail
}

// printable makes s valid UTF-8 (protobuf rejects anything else) without
// control characters.
func printable(s string) string { return strings.Map(printableRune, s) }

func printableRune(r rune) rune {
	switch {
	case r == utf8.RuneError:
		return '?'
	case unicode.IsControl(r) || r == '\u2028' || r == '\u2029':
		return ' '
	}
	return r
}

// clamp makes s printable and cuts it to n characters, counted in UTF-16 as the
// collector's Java does.
func clamp(s string, n int) string {
	s = printable(s)
	for i, r := range s {
		if n--; r > 0xFFFF {
			n--
		}
		if n < 0 {
			return s[:i]
		}
	}
	return s
}
