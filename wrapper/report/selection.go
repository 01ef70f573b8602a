// Selections: which functions a report lists.

package report

import (
	"fmt"
	"go/token"
	"slices"
	"strings"
	"time"
)

// A Selection selects functions by what the report says of them. The zero value selects
// all. A [Filter] is another thing: it decides which processes count.
type Selection struct {
	Packages       []string  `json:"packages,omitempty"` // patterns
	Statuses       []Status  `json:"statuses,omitempty"`
	ObservedFor    int64     `json:"observedFor,omitempty"`   // seconds at least
	NotCalledSince time.Time `json:"notCalledSince,omitzero"` // never called, or not after that
	Exported       *bool     `json:"exported,omitempty"`      // by its name and that of its type
	Generated      *bool     `json:"generated,omitempty"`     // by its file

	// InPackages reports whether a package matches Packages.
	InPackages func(path string) bool `json:"-"`

	// NotCalledFor sets NotCalledSince to a time before the last one that is known of the
	// processes: nobody knows what was called after it.
	NotCalledFor time.Duration `json:"-"`
}

// IsZero reports whether all functions are selected.
func (s *Selection) IsZero() bool {
	return len(s.Packages) == 0 && len(s.Statuses) == 0 && s.ObservedFor == 0 && s.NotCalledSince.IsZero() && s.Exported == nil && s.Generated == nil
}

// Select leaves only some functions in the report's Functions. The rest is in Others
// afterwards. It is called once. The error is for a selection that the data cannot answer.
func (r *Report) Select(s Selection) error {
	if s.NotCalledFor > 0 {
		s.NotCalledSince = r.Observed.To.Add(-s.NotCalledFor)
	}
	if s.NotCalledSince.After(r.Observed.To) {
		return fmt.Errorf("the data end on %s: nobody knows what was called since %s", r.Observed.To.Format(time.DateTime), s.NotCalledSince.Format(time.DateTime))
	}
	r.Selection = s
	all := r.Functions
	r.Functions = nil
	for i := range all {
		if s.selects(&all[i]) {
			r.Functions = append(r.Functions, all[i])
		} else {
			r.Others = append(r.Others, all[i])
		}
	}
	return nil
}

func (s *Selection) selects(f *Function) bool {
	switch {
	case len(s.Packages) > 0 && !s.InPackages(f.Package),
		len(s.Statuses) > 0 && !slices.Contains(s.Statuses, f.Status),
		f.ObservedFor < s.ObservedFor,
		!s.NotCalledSince.IsZero() && !s.uncalled(f),
		s.Exported != nil && *s.Exported != isExported(f),
		s.Generated != nil && *s.Generated != f.Generated:
		return false
	}
	return true
}

// uncalled reports whether nobody called a function, or nobody since a time. Of a function
// without a mark nobody knows the latter, nor of one whose later calls may not be known, nor
// if a build that could not observe it ran since, nor if all data of those who could have
// called it end before: they may be an old copy.
func (s *Selection) uncalled(f *Function) bool {
	switch {
	case f.Status == NeverCalled:
		return true
	case f.Status != Called || f.unmarked || f.uncertain, !s.NotCalledSince.After(f.blindTo),
		!f.observedTo.IsZero() && s.NotCalledSince.After(f.observedTo):
		return false
	}
	return f.LastCalledAt.Before(s.NotCalledSince)
}

// Uncalled reports whether a function is one that the report looks for: it was never
// called, or not since the time that was asked for, and nobody said that it stays.
func (r *Report) Uncalled(f *Function) bool { return !f.Kept() && r.Selection.uncalled(f) }

// isExported reports whether other packages can name a function.
func isExported(f *Function) bool {
	literal := strings.ContainsAny(f.Name, ".-")
	return token.IsExported(f.Name) && !literal && (f.Receiver == "" || token.IsExported(strings.TrimPrefix(f.Receiver, "*")))
}
