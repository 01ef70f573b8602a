// Filters: which processes a report is about.

package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// A Filter selects processes by what they say of themselves. An empty list selects all.
type Filter struct {
	Environments []string `json:"environments,omitempty"`
	Applications []string `json:"applications,omitempty"`
	Hosts        []string `json:"hosts,omitempty"`
}

// A filterKey is one thing that a Filter looks at.
type filterKey struct {
	noun   string
	wanted []string
	value  func(id *datafile.Identity) string
}

func (f *Filter) keys() []filterKey {
	return []filterKey{
		{"environment", f.Environments, func(id *datafile.Identity) string { return id.Environment }},
		{"application", f.Applications, func(id *datafile.Identity) string { return id.AppName }},
		{"host", f.Hosts, func(id *datafile.Identity) string { return id.Hostname }},
	}
}

// selects reports whether processes with an identity are wanted.
func (f *Filter) selects(id *datafile.Identity) bool {
	for _, k := range f.keys() {
		if len(k.wanted) > 0 && !slices.Contains(k.wanted, k.value(id)) {
			return false
		}
	}
	return true
}

// String says what is selected, "" for everything.
func (f *Filter) String() string {
	var parts []string
	for _, k := range f.keys() {
		if len(k.wanted) > 0 {
			parts = append(parts, k.noun+" "+Printable(strings.Join(k.wanted, ", ")))
		}
	}
	return strings.Join(parts, "; ")
}

// wants reports whether processes with an identity count, and notes those that do not.
func (d *data) wants(id *datafile.Identity) bool {
	if d.filter.selects(id) {
		d.selected = true
		return true
	}
	d.others = append(d.others, *id)
	// Their codebase is not one of which nobody knows a process.
	d.named[datafile.CodebaseName(id.Fingerprint, -1)] = true
	d.named[datafile.CodebaseName(id.Fingerprint, max(id.UID, 0))] = true
	return false
}

// nothingSelected returns an error that says what may be selected instead.
func nothingSelected(filter Filter, args []string, others []datafile.Identity) error {
	var has []string
	for _, k := range filter.keys() {
		if len(k.wanted) == 0 {
			continue
		}
		values := map[string]bool{}
		for i := range others {
			values[Printable(k.value(&others[i]))] = true
		}
		has = append(has, fmt.Sprintf("%s %s", k.noun, strings.Join(slices.Sorted(maps.Keys(values)), ", ")))
	}
	return fmt.Errorf("no data in %q of %s: there is %s", strings.Join(args, " "), &filter, strings.Join(has, "; "))
}
