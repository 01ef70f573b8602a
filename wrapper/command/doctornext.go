// The last line of doctor: the one thing to do next.

package command

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// A nextStep gathers what could be done next while the steps are looked at. What is wrong
// comes first, then what is most likely a mistake.
type nextStep struct {
	wrong, doubtful string // the first of each
	marked          bool   // go build needs no -toolexec
}

// mend notes a step that failed.
func (n *nextStep) mend(step, detail, advice string) {
	if n.wrong == "" {
		n.wrong = fmt.Sprintf("%s: %s", step, cmp.Or(advice, detail))
	}
}

// better notes what should be looked at before the program is built or run.
func (n *nextStep) better(what string) {
	if n.doubtful == "" {
		n.doubtful = what
	}
}

// whatNext returns what to do next, with the program that doctor was given ("" without
// one) and the settings that it would have.
func (d *examination) whatNext(binary string, settings map[string]string) string {
	if text := cmp.Or(d.next.wrong, d.next.doubtful); text != "" {
		return text
	}
	if dir, err := expandedDir(runValue("dataDir", settings), settings); err == nil && dir != "" && report.IsData(dir) {
		return "scavenger-wrap report " + dir
	}
	if binary != "" {
		return howToRun(settings)
	}
	return d.howToBuildAndRun(d.next.marked, settings)
}

// howToRun says how to get an answer from a program with these settings.
func howToRun(settings map[string]string) string {
	switch dir := runValue("dataDir", settings); {
	case dir != "":
		if expanded, err := expandedDir(dir, settings); err == nil {
			dir = expanded
		}
		return "run it, and then scavenger-wrap report " + dir
	case collects(settings):
		return "run it, and after a minute create a snapshot in Scavenger's web page"
	}
	return "run it with SCAVENGER_DATA_DIR=data in its environment, and then scavenger-wrap report data"
}

// howToBuildAndRun says how to build a program here, and how to get an answer from it. If
// there are several, it speaks for the first. marked says that go build needs no -toolexec.
func (cmd *commands) howToBuildAndRun(marked bool, settings map[string]string) string {
	dirs := cmd.mainDirs()
	if len(dirs) == 0 {
		return "there is no program here: go to one that uses these packages, name them in packages of its scavenger.toml, and build it"
	}
	build := "go build "
	if !marked {
		build += toolexecFlag() + " "
	}
	which := "the program"
	if n := len(dirs); n > 1 {
		which = fmt.Sprintf("one of the %d programs here, such as the first", n)
	}
	return "build " + which + ": " + build + dirs[0] + "; " + howToRun(settings)
}

// toolexecFlag returns the flag of the go command that starts this scavenger-wrap.
func toolexecFlag() string {
	self, err := os.Executable()
	if found, lookErr := exec.LookPath("scavenger-wrap"); err != nil || lookErr == nil && sameFile(self, found) {
		return "-toolexec=scavenger-wrap"
	}
	return toolchain.JoinQuoted([]string{"-toolexec=" + toolchain.JoinQuoted([]string{self})})
}

// mainDirs returns the directories with a main package as go build takes them: those of the
// main modules that are below the working directory, or all if none is. It returns
// "[packages]" if that cannot be told.
func (cmd *commands) mainDirs() []string {
	unknown := []string{"[packages]"}
	from, err := cmd.buildSource()
	if err != nil {
		return unknown
	}
	_, patterns, err := config.ModuleDirs(from)
	if err != nil || len(patterns) == 0 {
		return unknown
	}
	for i, dir := range patterns {
		patterns[i] = filepath.Join(dir, "...")
	}
	packages, err := toolchain.GoList{Program: "go"}.Packages(context.Background(), "Name,Dir", []string{"-e", "-find"}, patterns...)
	if err != nil {
		return unknown
	}
	var below, elsewhere []string
	for _, p := range packages {
		rel, err := filepath.Rel(from.Dir, p.Dir)
		switch {
		case p.Name != "main" || err != nil:
		case rel == ".":
			below = append(below, rel)
		case filepath.IsLocal(rel):
			below = append(below, "."+string(filepath.Separator)+rel)
		default:
			elsewhere = append(elsewhere, rel)
		}
	}
	if len(below) > 0 {
		return below
	}
	return elsewhere
}
