// Words: times, counts and names as people write them.

package output

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// minute is a time as people write it. All times of a report are UTC.
func minute(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.Format("2006-01-02 15:04")
}

// period is a span of time with its length.
func period(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return "at an unknown time"
	}
	return fmt.Sprintf("%s to %s UTC (%s)", minute(from), minute(to), length(to.Sub(from)))
}

// seconds is a time in seconds as people say it.
func seconds(n int64) string {
	if n == 0 {
		return "less than a second"
	}
	return length(time.Duration(n) * time.Second)
}

// shortly is a time in seconds as it stands in a column.
func shortly(n int64) string {
	if n == 0 {
		return "< 1 second"
	}
	return length(time.Duration(n) * time.Second)
}

// length rounds down to the largest unit of which there are two.
func length(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return plural(int(d/day), "day")
	case d >= 2*time.Hour:
		return plural(int(d/time.Hour), "hour")
	case d >= 2*time.Minute:
		return plural(int(d/time.Minute), "minute")
	}
	return plural(int(d/time.Second), "second")
}

func plural(n int, noun string) string {
	if strings.HasSuffix(noun, "s") {
		return pluralVerb(n, noun, noun+"es")
	}
	return pluralVerb(n, noun, noun+"s")
}

func pluralVerb(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// countNote says what is true of n things, "" of none.
func countNote(n int, one, many, what string) string {
	if n == 0 {
		return ""
	}
	return pluralVerb(n, one, many) + " " + what
}

// joinNotes joins the notes that say something.
func joinNotes(notes ...string) string {
	return strings.Join(slices.DeleteFunc(notes, func(note string) bool { return note == "" }), "; ")
}

// Paragraph returns words with line breaks between them, and one at the end.
func Paragraph(words string) string {
	const width = 80
	var b strings.Builder
	column := 0
	for i, word := range strings.Split(words, " ") {
		switch {
		case i == 0:
		case column+1+columns(word) > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += columns(word)
	}
	b.WriteByte('\n')
	return b.String()
}

// columns is how wide a text is, of letters that are one column wide.
func columns(s string) int { return utf8.RuneCountInString(s) }

// place is where a function is, as editors read it.
func place(f *report.Function) string { return report.Printable(f.File) + ":" + strconv.Itoa(f.Line) }

// fullName is a function's name as the runtime shows it in a stack trace, without the
// package.
func fullName(f *report.Function) string { return report.FullName(f.Receiver, f.Name) }

// SelectionText says which functions are selected.
func SelectionText(s *report.Selection) string {
	var parts []string
	if len(s.Packages) > 0 {
		parts = append(parts, "of "+report.Printable(strings.Join(s.Packages, ", ")))
	}
	if len(s.Statuses) > 0 {
		var words []string
		for _, status := range s.Statuses {
			words = append(words, string(status))
		}
		parts = append(parts, "with status "+strings.Join(words, " or "))
	}
	if s.ObservedFor > 0 {
		parts = append(parts, "observed for at least "+seconds(s.ObservedFor))
	}
	if !s.NotCalledSince.IsZero() {
		parts = append(parts, "not called since "+minute(s.NotCalledSince))
	}
	if s.Exported != nil {
		word := "that are not exported"
		if *s.Exported {
			word = "that are exported"
		}
		parts = append(parts, word)
	}
	if s.Generated != nil {
		word := "that people wrote"
		if *s.Generated {
			word = "that are generated"
		}
		parts = append(parts, word)
	}
	return strings.Join(parts, ", ")
}
