// The last line of doctor: the one thing to do next.

package command

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

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
	if dir := runValue("dataDir", settings); dir != "" && report.IsData(dir) {
		return "scavenger-wrap report " + dir
	}
	if binary != "" {
		return howToRun(settings)
	}
	return d.howToBuild(d.next.marked) + "; " + howToRun(settings)
}

// howToRun says how to get an answer from a program with these settings.
func howToRun(settings map[string]string) string {
	switch dir := runValue("dataDir", settings); {
	case dir != "":
		return "run it, and then scavenger-wrap report " + dir
	case collects(settings):
		return "run it; Scavenger's web page shows it a minute later"
	}
	return "run it with SCAVENGER_DATA_DIR=data in its environment, and then scavenger-wrap report data"
}

// howToBuild says how to build the first program here. marked says that go build needs no
// -toolexec.
func (cmd *commands) howToBuild(marked bool) string {
	build := "go build "
	if !marked {
		build += toolexecFlag() + " "
	}
	return "build the program: " + build + cmd.mainDir()
}

// toolexecFlag returns the flag of the go command that starts this scavenger-wrap.
func toolexecFlag() string {
	self, err := os.Executable()
	if found, lookErr := exec.LookPath("scavenger-wrap"); err != nil || lookErr == nil && sameFile(self, found) {
		return "-toolexec=scavenger-wrap"
	}
	return toolchain.JoinQuoted([]string{"-toolexec=" + toolchain.JoinQuoted([]string{self})})
}

// mainDir returns the first directory below the working directory with a main package, as
// go build takes it. It returns "[packages]" if there is none.
func (cmd *commands) mainDir() string {
	patterns, err := cmd.allPackages()
	if err != nil {
		return "[packages]"
	}
	packages, err := toolchain.GoList{Program: "go"}.Packages(context.Background(), "ImportPath,Name,Dir", []string{"-e", "-find"}, patterns...)
	i := slices.IndexFunc(packages, func(p toolchain.ListedPackage) bool { return p.Name == "main" })
	work, workErr := os.Getwd()
	if err != nil || workErr != nil || i < 0 {
		return "[packages]"
	}
	rel, err := filepath.Rel(work, packages[i].Dir)
	switch {
	case err != nil:
		return packages[i].ImportPath
	case rel == ".":
		return rel
	}
	return "." + string(filepath.Separator) + rel
}
