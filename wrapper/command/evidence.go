// The evidence of a build: the calls in an earlier report.

package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/evidence"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// ReadCalls is an [evidence.Reader]: it reads the calls in the JSON of a report, or in a
// data directory. Of a report on several programs nobody can tell which of them a function
// was called in.
func ReadCalls(path string) (*evidence.Calls, error) {
	r, err := report.ReadEarlier(path)
	if err != nil {
		return nil, err
	}
	calls := &evidence.Calls{To: r.Observed.To}
	var mains []string
	for i := range r.Programs {
		mains = append(mains, r.Programs[i].Main)
	}
	slices.Sort(mains)
	switch mains = slices.Compact(mains); len(mains) {
	case 0:
		return nil, errors.New("it says nothing of any program")
	case 1:
		calls.Main = mains[0]
	default:
		return nil, fmt.Errorf("it is of several programs, %s: make it of one, as report --application=NAME does", strings.Join(mains, ", "))
	}
	for i := range r.Functions {
		if f := &r.Functions[i]; f.Status == report.Called {
			calls.List = append(calls.List, evidence.Call{Package: f.Package, Receiver: f.Receiver, Name: f.Name, At: f.LastCalledAt})
		}
	}
	return calls, nil
}
