// How a Go function appears in Scavenger.
//
// The collector takes any text, but its API and UI cut a signature into a tree at
// dots and put the pieces into URLs. So package and class parts may contain few
// characters, and one bad signature breaks the view of a whole workspace. The mapping:
//
//	github.com/acme/shop/cart.(*Server).Close     github.com.acme.shop.cart.Server.Close()
//	github.com/acme/shop/cart.Add                 github.com.acme.shop.cart.func.Add(Item,int)
//
// "func" cannot be the name of a type. It is the class of functions without a
// receiver, so that a package is always a package in the tree and never a class.

package hitrt

import (
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits in bytes, below those of the collector's columns in characters.
const (
	maxType      = 256 // methods.declaringType
	maxClass     = 120
	maxName      = 200
	maxSignature = 900 // the UI groups by the first 1024
)

// packagePart returns the display form of an import path.
func packagePart(path string) string {
	b := make([]byte, 0, len(path)+2)
	for _, r := range path {
		switch {
		case r == '/' || r == '.':
			b = endSegment(b)
			b = append(b, '.')
		case wordChar(r) || r == '~' || r == '-':
			b = append(b, byte(r))
		default:
			b = append(b, '_')
		}
	}
	return string(endSegment(b))
}

// endSegment makes the last segment of b end in a word character: the UI does not
// see a dot after any other character as the end of a segment.
func endSegment(b []byte) []byte {
	if len(b) == 0 || !wordChar(rune(b[len(b)-1])) {
		b = append(b, '_')
	}
	return b
}

// classPart returns the display form of a receiver, "func" if there is none.
func classPart(receiver string) string {
	base := baseType(receiver)
	if base == "" {
		return "func"
	}
	return string(endSegment([]byte(shorten(identifier(base), maxClass))))
}

// baseType returns a receiver's type without star and type parameters.
func baseType(receiver string) string {
	base, _, _ := strings.Cut(strings.TrimLeft(receiver, "*"), "[")
	return base
}

// declaringType joins a package part and a class part. It shortens the package part,
// the only one that is long in practice, to the column's limit.
func declaringType(pkg, class string) string {
	if room := maxType - len(class) - 1; len(pkg) > room {
		pkg = shorten(pkg, room)
	}
	return pkg + "." + class
}

// signature returns what the UI shows of a function.
func signature(declaringType, name, params string) string {
	s := declaringType + "." + methodName(name) + "("
	p := strings.ReplaceAll(printable(params), "$", "_")
	if len(s)+len(p)+1 > maxSignature {
		p = "..."
	}
	return s + p + ")"
}

// methodName returns the display form of a function's name. Dots in the name of a
// function literal become hyphens: they would make its function a class.
func methodName(name string) string {
	if name == "" {
		return "_"
	}
	parts := strings.Split(name, ".")
	for i, part := range parts {
		parts[i] = identifier(part)
	}
	return shorten(strings.Join(parts, "-"), maxName)
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
// which contains a dot, is not.
func exported(name string) bool {
	r, _ := utf8.DecodeRuneInString(name)
	return unicode.IsUpper(r) && !strings.Contains(name, ".")
}

// wordChar reports whether r is what a regular expression calls \w in ASCII.
func wordChar(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_'
}

// identifier replaces what cannot be in a Go identifier. Real identifiers pass
// unchanged.
func identifier(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return '_'
	}, s)
}

// shorten cuts s to at most n bytes. It replaces what it cuts off by a hash of the
// whole text, so that different texts stay different.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	sum := md5Sum([]byte(s))
	tail := "_" + hex.EncodeToString(sum[:4])
	head := strings.ToValidUTF8(s[:n-len(tail)], "")
	return strings.TrimRight(head, ".-~") + tail
}

// printable makes s valid UTF-8 (protobuf rejects anything else) without
// control characters.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '?'
		case unicode.IsControl(r) || r == '\u2028' || r == '\u2029':
			return ' '
		}
		return r
	}, s)
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
