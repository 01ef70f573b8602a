package command

import (
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// selectWith returns what a command line selects.
func selectWith(t *testing.T, args ...string) (s report.Selection, err error) {
	t.Helper()
	app := &cli.App{Name: "report", Flags: selectionFlags(), Writer: io.Discard, Action: func(c *cli.Context) error {
		s, err = selectionOf(c)
		return nil
	}}
	if runErr := app.Run(append([]string{"report"}, args...)); runErr != nil {
		t.Fatal(runErr)
	}
	return s, err
}

func TestSelectionOf(t *testing.T) {
	no := false
	const day = 24 * time.Hour
	for args, want := range map[string]report.Selection{
		"":                                    {},
		"--status=called,unknown":             {Statuses: []report.Status{report.Called, report.Unknown}},
		"--status=called, never-called":       {Statuses: []report.Status{report.Called, report.NeverCalled}},
		"--observed-for=12h":                  {ObservedFor: 12 * 3600},
		"--observed-for=2w":                   {ObservedFor: 14 * 24 * 3600},
		"--not-called-since=90d":              {NotCalledFor: 90 * day},
		"--not-called-since=2026-01-31":       {NotCalledSince: time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)},
		"--generated=false":                   {Generated: &no},
		"--exported=false|--observed-for=30d": {Exported: &no, ObservedFor: 30 * 24 * 3600},
	} {
		var list []string
		if args != "" {
			list = strings.Split(args, "|")
		}
		if got, err := selectWith(t, list...); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v, want %+v", args, got, err, want)
		}
	}
	s, err := selectWith(t, "--packages=example.com/a,example.com/b/...")
	if err != nil || !s.InPackages("example.com/a/sub") || !s.InPackages("example.com/b") || s.InPackages("example.com/c") {
		t.Errorf("packages: %+v, %v, want a and b, with those below", s, err)
	}
	for args, want := range map[string]string{
		"--status=dead":                 `report: --status=dead: unknown status "dead": want called, never-called,`,
		"--status=":                     `unknown status ""`,
		"--observed-for=30":             "want a number of hours, days or weeks, such as 12h, 30d or 2w",
		"--observed-for=0d":             "want a number of",
		"--observed-for=-3d":            "want a number of",
		"--observed-for=999999999w":     "want a number of",
		"--not-called-since=2026-02-30": "such as 12h, 30d or 2w, or a date, such as 2026-01-31",
		"--packages=./cart":             "write the import path",
		"--packages=a,,b":               "not an import path",
	} {
		if _, err := selectWith(t, args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", args, err, want)
		}
	}
}
