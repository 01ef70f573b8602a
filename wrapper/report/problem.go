// Problems: what the report does not rest on although it should.

package report

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// A Kind says what is wrong with a file, for programs. Kinds are not renamed.
type Kind string

const (
	Damaged     Kind = "damaged"             // some of it makes no sense
	Unreadable  Kind = "unreadable"          // this user may not read it, or it is no file
	NoCodebase  Kind = "no-codebase"         // its functions are not known
	NotBelieved Kind = "codebase-of-another" // its functions are named by another user
	NewerFormat Kind = "newer-format"        // a newer scavenger-wrap reads it

	// Kinds of what may be missing, up to a second of the first calls of each process and
	// a minute of later ones: it ran when the machine was started anew, or runs elsewhere;
	// it was killed; or only its user can read what it called last.
	OtherBoot       Kind = "from-another-boot"
	Lossy           Kind = "lossy"
	UnreadableMarks Kind = "unreadable-marks"
)

// A Problem is a data file that does not count in full, or that does not have all that
// its processes called.
type Problem struct {
	File string // its path
	Kind Kind
	Err  error // what is wrong with it
}

// Error returns one line, whatever is in names.
func (p Problem) Error() string { return Printable(p.File) + ": " + p.Text() }

// Text returns what is wrong, on one line.
func (p Problem) Text() string {
	s := strings.ReplaceAll(p.Err.Error(), "\n", "; ")
	if Printable(s) != s {
		s = strings.Trim(strconv.QuoteToASCII(s), `"`)
	}
	return s
}

// Unwrap returns what is wrong with the file.
func (p Problem) Unwrap() error { return p.Err }

// OfProcesses reports whether the problem is how processes ended, and not the file.
func (k Kind) OfProcesses() bool {
	return k == OtherBoot || k == Lossy || k == UnreadableMarks
}

// kindOf returns the kind of an error in opening or reading a file.
func kindOf(err error) Kind {
	var format datafile.FormatError
	var pathErr *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return NoCodebase
	case errors.As(err, &format):
		return NewerFormat
	case errors.Is(err, datafile.ErrNotBelieved):
		return NotBelieved
	case errors.Is(err, datafile.ErrNotRegular), errors.As(err, &pathErr):
		return Unreadable
	}
	return Damaged
}

// withoutPath strips operation and path from err: a Problem names the file.
func withoutPath(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// sortProblems sorts by file.
func sortProblems(list []Problem) {
	slices.SortFunc(list, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), strings.Compare(string(a.Kind), string(b.Kind)))
	})
}

// Printable quotes a name that would disturb a terminal.
func Printable(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	return strconv.QuoteToASCII(s)
}
