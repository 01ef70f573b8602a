// The flags that select functions of a report, the same for each format.

package command

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

func selectionFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "packages", Usage: "list functions of packages only that match one of the `PATTERNS`, as in settings: separated by commas"},
		&cli.StringFlag{Name: "status", Usage: "list those with one of the `STATUSES` only: called, never-called, not-observable, unknown"},
		&cli.StringFlag{Name: "observed-for", Usage: "list those only that were observed for a `TIME`, such as 30d (h, d or w)"},
		&cli.StringFlag{Name: "not-called-since", Usage: "list those only that were never called, or not after a `DATE`, such as 2026-01-31, or in the last time that was observed, such as 90d"},
		&cli.BoolFlag{Name: "exported", Usage: "list those only that are exported; with --exported=false, the others"},
		&cli.BoolFlag{Name: "generated", Usage: "list those of generated files only; with --generated=false, the others"},
	}
}

// selectionOf returns what the flags select.
func selectionOf(c *cli.Context) (s report.Selection, err error) {
	for flag, set := range map[string]func(value string) error{
		"packages": func(value string) error {
			s.Packages = splitList(value)
			s.InPackages, err = config.Patterns(s.Packages)
			return err
		},
		"status": func(value string) error {
			s.Statuses, err = parseStatuses(value)
			return err
		},
		"observed-for": func(value string) error {
			d, err := parseDays(value)
			s.ObservedFor = int64(d / time.Second)
			return err
		},
		"not-called-since": func(value string) error {
			if date, err := time.Parse(time.DateOnly, value); err == nil {
				s.NotCalledSince = date
				return nil
			}
			if s.NotCalledFor, err = parseDays(value); err != nil {
				return fmt.Errorf("%w, or a date, such as 2026-01-31", err)
			}
			return nil
		},
	} {
		if !c.IsSet(flag) {
			continue
		}
		if err := set(c.String(flag)); err != nil {
			return s, usageError{fmt.Errorf("%s: --%s=%s: %w", c.Command.Name, flag, c.String(flag), err)}
		}
	}
	if c.IsSet("exported") {
		exported := c.Bool("exported")
		s.Exported = &exported
	}
	if c.IsSet("generated") {
		generated := c.Bool("generated")
		s.Generated = &generated
	}
	return s, nil
}

// selectFunctions leaves the functions in a report that are selected. If there are none, it
// says so: in a misspelled package --fail-on finds nothing.
func selectFunctions(r *report.Report, s report.Selection, stderr io.Writer) error {
	if err := r.Select(s); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if len(r.Functions) == 0 && len(r.Others) > 0 {
		writeReportNotes(stderr, "report", []string{fmt.Sprintf("none of its functions is selected, of %d", len(r.Others))})
	}
	return nil
}

func splitList(value string) (list []string) {
	for s := range strings.SplitSeq(value, ",") {
		list = append(list, strings.TrimSpace(s))
	}
	return list
}

func parseStatuses(value string) (list []report.Status, err error) {
	all := []report.Status{report.Called, report.NeverCalled, report.NotObservable, report.Unknown}
	for _, s := range splitList(value) {
		if !slices.Contains(all, report.Status(s)) {
			return nil, fmt.Errorf("unknown status %q: want called, never-called, not-observable or unknown, separated by commas", s)
		}
		list = append(list, report.Status(s))
	}
	return list, nil
}

// parseDays parses a time in hours, days or weeks.
func parseDays(value string) (time.Duration, error) {
	const day, most = 24 * time.Hour, 100 * 366
	units := map[string]time.Duration{"h": time.Hour, "d": day, "w": 7 * day}
	for suffix, unit := range units {
		digits, ok := strings.CutSuffix(value, suffix)
		n, err := strconv.ParseUint(digits, 10, 32)
		if ok && err == nil && n > 0 && time.Duration(n) <= most*day/unit {
			return time.Duration(n) * unit, nil
		}
	}
	return 0, errors.New("want a number of hours, days or weeks, such as 12h, 30d or 2w")
}
