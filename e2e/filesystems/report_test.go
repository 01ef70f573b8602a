//go:build linux

// What is known afterwards, and the table of it.

package filesystems

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// What a report says.
type knowledge struct {
	called map[int]bool
	status string // how it ended
	stderr string
	err    error // it is no report
}

// silent reports whether it says that all is well.
func (k knowledge) silent() bool { return k.status == "exit status 0" && k.stderr == "" }

// report reads what is known in a data directory.
func report(t *testing.T, wrap []string, dir string) knowledge {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	defer cancel()
	args := slices.Concat(wrap, []string{built.File(t), "report", "--format=json", dir})
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	k := knowledge{called: map[int]bool{}, status: "exit status 0", stderr: stderr.String()}
	if err != nil {
		k.status = err.Error()
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		k.err = fmt.Errorf("the report hangs: %s", k.stderr)
	case err != nil && (!errors.As(err, &exit) || exit.ExitCode() < 0 || strings.Contains(k.stderr, "goroutine ")):
		k.err = fmt.Errorf("the report: %w\n%.2000s", err, k.stderr)
	}
	var read struct{ Functions []program.ReportedFunction }
	if stdout.Len() > 0 && k.err == nil {
		k.err = json.Unmarshal(stdout.Bytes(), &read)
	}
	for _, f := range read.Functions {
		if i, err := strconv.Atoi(strings.TrimPrefix(f.Name, "f")); err == nil && f.Status == "called" {
			k.called[i] = true
		}
	}
	return k
}

// row is the line of the table.
func (r *result) row(f fault) string {
	unharmed := "yes"
	if len(r.harm) > 0 {
		unharmed = "no"
	} else if len(r.slow) > 0 {
		unharmed = "slow"
	}
	lostExit, lostKill := len(r.lost(r.exits, "123")), len(r.lost(r.killed, "123"))
	calls := len(r.exits.called) + len(r.killed.called)
	millis := func(marked, plain time.Duration) string {
		return fmt.Sprintf("%.2f/%.2f", marked.Seconds()*1000, plain.Seconds()*1000)
	}
	return strings.Join([]string{
		f.name, unharmed,
		millis(max(r.exits.slow, r.killed.slow), r.plain.slow), millis(max(r.exits.worst, r.killed.worst), r.plain.worst),
		millis(max(r.exits.pause, r.exits.late, r.killed.pause, r.killed.late), max(r.plain.pause, r.plain.late)), millis(max(r.exits.start, r.killed.start), r.plain.start), millis(r.exits.exit, r.plain.exit), millis(r.killed.exit, r.plain.exit),
		fmt.Sprint(calls), fmt.Sprint(calls - lostExit - lostKill), fmt.Sprintf("%d+%d", lostExit, lostKill),
		fmt.Sprintf("%s+%s", orNone(f.exit), orNone(f.kill)), r.known.status,
	}, "\t")
}

func orNone(steps string) string {
	if steps == "" {
		return "none"
	}
	return steps
}

// results are the rows of the table.
type results struct {
	mu   sync.Mutex
	rows []string
}

func (r *results) add(row string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows = append(r.rows, row)
}

func (r *results) String() string {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "milliseconds: marked/plain; steps of calls: 1 before the fault, 2 during it, 3 at the end; +: of the process that exits, and of the killed one")
	fmt.Fprintln(w, "FAULT\tUNHARMED\tCALL 99.9 %\tWORST CALL\tPAUSE\tSTART\tEXIT\tKILL\tHITS SET\tKNOWN\tLOST\tPROMISED\tREPORT")
	order := func(row string) int {
		return slices.IndexFunc(faults, func(f fault) bool { return strings.HasPrefix(row, f.name+"\t") })
	}
	slices.SortFunc(r.rows, func(a, b string) int { return order(a) - order(b) })
	for _, row := range r.rows {
		if !strings.Contains(row, "\tskipped: ") {
			fmt.Fprintln(w, row)
		}
	}
	_ = w.Flush()
	for _, row := range r.rows {
		if name, why, ok := strings.Cut(row, "\tskipped: "); ok {
			fmt.Fprintf(&b, "%s: skipped: %s\n", name, why)
		}
	}
	return b.String()
}
