package hitrt

// How a Go function appears in Scavenger.
//
// The collector takes any text, but its API and UI cut a signature into a tree
// at dots and put the pieces into URLs, so what a package or class part may
// contain is narrow, and one signature out of line breaks the view of a whole
// workspace. The mapping:
//
//	github.com/acme/shop/cart.(*Server).Close     github.com.acme.shop.cart.Server.Close()
//	github.com/acme/shop/cart.Add                 github.com.acme.shop.cart.func.Add(Item,int)
//
// "func" can be no type's name. It gives packages with functions a place for
// them, so that a package is always a package in the tree and never a class.

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

// packagePart is the display form of an import path.
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

// endSegment ensures that the segment at the end of b ends in a word character:
// after any other, the next dot would not be seen as the end of a segment.
func endSegment(b []byte) []byte {
	if len(b) == 0 || !wordChar(rune(b[len(b)-1])) {
		b = append(b, '_')
	}
	return b
}

// classPart is the display form of a receiver, "func" if there is none.
func classPart(receiver string) string {
	base := baseType(receiver)
	if base == "" {
		return "func"
	}
	return string(endSegment([]byte(shorten(identifier(base), maxClass))))
}

// baseType is a receiver's type without star and type parameters.
func baseType(receiver string) string {
	base, _, _ := strings.Cut(strings.TrimLeft(receiver, "*"), "[")
	return base
}

// declaringType joins a package part and a class part within the column's
// limit. Only the package part is long in practice, so it gives way.
func declaringType(pkg, class string) string {
	if room := maxType - len(class) - 1; len(pkg) > room {
		pkg = shorten(pkg, room)
	}
	return pkg + "." + class
}

// signature is what the UI shows of a function.
func signature(declaringType, name, params string) string {
	s := declaringType + "." + methodName(name) + "("
	p := strings.ReplaceAll(printable(params), "$", "_")
	if len(s)+len(p)+1 > maxSignature {
		p = "..."
	}
	return s + p + ")"
}

// methodName is the display form of a function's name. The dots in the name of
// a function literal, which would make its function a class, become hyphens.
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

// signatureHash identifies a function in a workspace. It has neither parameters
// nor the receiver's star in it: Go has no overloading, and a function whose
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

// exported reports whether a Go name is exported. That of a function literal,
// which has a dot, is not.
func exported(name string) bool {
	r, _ := utf8.DecodeRuneInString(name)
	return unicode.IsUpper(r) && !strings.Contains(name, ".")
}

// wordChar reports whether r is what a regular expression calls \w in ASCII.
func wordChar(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_'
}

// identifier replaces everything that no Go identifier has. Those of real
// programs pass unchanged.
func identifier(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return '_'
	}, s)
}

// shorten cuts s to at most n bytes. What is cut off is replaced by a hash of
// the whole, so that different texts stay different.
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
