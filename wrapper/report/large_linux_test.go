package report

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// reportChild is set in the process that TestManyFiles measures.
const reportChild = "SCAVENGER_TEST_REPORT_DIR"

// 10,000 files of 1,000 functions each, most of them copies, are read in little memory: by a
// process of its own, as this one has used memory before.
func TestManyFiles(t *testing.T) {
	if dir := os.Getenv(reportChild); dir != "" {
		r, called := mustRead(t, dir), 0
		for _, f := range r.Functions {
			if f.Status == Called {
				called++
			}
		}
		fmt.Println("functions", len(r.Functions), "processes", r.Processes.Total, "called", called)
		return
	}
	dir := t.TempDir()
	const files, n = 10_000, 1000
	functions := make([]testFunc, n)
	for i := range functions {
		functions[i] = fn(fmt.Sprintf("pkg%04d.*Server.Function%06d", i/100, i), fmt.Sprintf("internal/pkg%04d/file.go", i/100), 10*(i%100)+1)
	}
	put(t, dir, "codebase-many.json", codebaseBytes(t, "many", functions))
	for k := range n / 2 {
		p := testProcess{id: fmt.Sprint(k), app: "many", host: "h", started: at(1), calls: calls{functions[k].Name: at(2)}}
		s := store(dir, "many", functions, p)
		s.Process = uuidOf(p.id)
		record(t, s, functions, p)
		name := filepath.Base(s.Path())
		content := readFile(t, dir, name)
		for copies := range files/(n/2) - 1 {
			overwrite(t, dir, fmt.Sprintf("%s-%d.hits", strings.TrimSuffix(name, ".hits"), copies), content)
		}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestManyFiles$", "-test.v")
	cmd.Env = append(os.Environ(), reportChild+"="+dir)
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if want := "functions 1000 processes 500 called 500"; err != nil || !strings.Contains(string(out), want) {
		t.Fatalf("%v, %s, want %q", err, out, want)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	t.Logf("%v, %v of CPU, %d MB", time.Since(began).Round(time.Millisecond), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime(), usage.Maxrss>>10)
	if usage.Maxrss > 200<<10 {
		t.Errorf("%d MB of memory, want 200 at most", usage.Maxrss>>10)
	}
	// CPU time, of which others take nothing; 5 s of it would be 5 s on an idle machine.
	if cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(); cpu > 5*time.Second {
		t.Errorf("%v of CPU, want 5 s at most", cpu)
	}
}
