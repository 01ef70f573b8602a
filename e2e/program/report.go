// The report of a marked program.

package program

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
)

// A ReportedFunction is one function of `scavenger-wrap report --format json`.
type ReportedFunction struct {
	Package, Receiver, Name, Signature, File, Status, LastCalledAt, Presumed string
	Line                                                                     int
}

// ID returns what identifies the function.
func (f ReportedFunction) ID() Function {
	return Function{f.Package, strings.TrimPrefix(f.Receiver, "*"), f.Name}
}

// Report returns what `scavenger-wrap report` says of a data directory.
func Report(ctx context.Context, wrapper, dir string) ([]ReportedFunction, error) {
	out, err := exec.CommandContext(ctx, wrapper, "report", "--format=json", dir).Output()
	if err != nil {
		return nil, fmt.Errorf("scavenger-wrap report: %w", err)
	}
	var report struct{ Functions []ReportedFunction }
	if err := json.Unmarshal(out, &report); err != nil {
		return nil, fmt.Errorf("scavenger-wrap report: %w", err)
	}
	return report.Functions, nil
}

// A Comparison holds a marked program's report against the oracle.
type Comparison struct {
	Functions    int        // in the oracle
	Called       int        // those of them that ran, without init functions
	Inits        int        // init functions, which by rule are not reported
	FalseDead    []Function // ran, but reported as never called or not at all
	FalseLive    []Function // reported as called, but did not run
	Unobservable []Function // reported as not observable
	Unlisted     []Function // did not run, and are not reported: in packages that are not linked
}

// Compare compares reported functions, by status, with the oracle's.
func Compare(status map[Function]string, covered map[Function]bool) *Comparison {
	c := &Comparison{}
	for f, ran := range covered {
		s, listed := status[f]
		c.Functions++
		if strings.HasPrefix(f.Name, "init@") {
			c.Inits++
			continue
		}
		if ran {
			c.Called++
		}
		switch {
		case s == "not-observable":
			c.Unobservable = append(c.Unobservable, f)
		case ran && s != "called":
			c.FalseDead = append(c.FalseDead, f)
		case !ran && s == "called":
			c.FalseLive = append(c.FalseLive, f)
		case !listed:
			c.Unlisted = append(c.Unlisted, f)
		}
	}
	for f, s := range status {
		if _, ok := covered[f]; !ok && (s == "called" || f.Receiver == "" && f.Name == "init") {
			c.FalseLive = append(c.FalseLive, f)
		}
	}
	return c
}
