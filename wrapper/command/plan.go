// scavenger-wrap plan: what can be deleted, and in which order.

package command

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/plan"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

func (cmd *commands) planCommand() *cli.Command {
	return &cli.Command{
		Name:      "plan",
		Usage:     "show what can be deleted, and what goes with it",
		ArgsUsage: "[packages] [DIR...]",
		Description: "Run it in the module's source. Packages are the main packages of the programs,\n" +
			"named as for go build; without any, all below the working directory. Each DIR is\n" +
			"a SCAVENGER_DATA_DIR that these programs wrote to, has some below it, or is \"-\"\n" +
			"for an archive in standard input, as for report. Without DIR it is\n" +
			"SCAVENGER_DATA_DIR, or dataDir of the settings here. Nothing is changed.\n\n" +
			"Functions that were never called are in four groups: unreachable (no path leads\n" +
			"there from main), entry (code that stays refers to it), falls with (only entries\n" +
			"lead there), and must stay (an interface, a type argument, assembly or a\n" +
			"directive needs it, reflection may call it, or --keep or //scavenger:keep names\n" +
			"it). A function that was called, that cannot be observed or of which nothing is\n" +
			"known is in no group.\n\n" +
			"html is the page of report --format=html with the plan as its first tab.\n\n" +
			"GOOS, GOARCH and --tags have to be those of the program that was observed.\n\n" +
			"Exit status 3: the plan rests on incomplete data; see report.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "format", Value: "text", Usage: "text, json, markdown or html"},
			&cli.BoolFlag{Name: "all", Usage: "list everything, as file:line: message"},
			&cli.StringFlag{Name: "tags", Usage: "build `TAGS`, separated by commas"},
			keepFlag(),
			&cli.StringFlag{Name: "explain", Usage: "say why a `FUNCTION` is in its group, and how main gets there"},
		}, pageFlags()...),
		Action: cmd.runPlan,
	}
}

func (cmd *commands) runPlan(c *cli.Context) error {
	if err := arguments(c, -1, ""); err != nil {
		return err
	}
	format, err := oneOf(c, "format", "text", "json", "markdown", "html")
	if err != nil {
		return err
	}
	if c.String("explain") != "" && (format == "markdown" || format == "html" || c.Bool("all")) {
		return usageError{errors.New("plan: --explain is about one function, and writes text or json")}
	}
	patterns, dirs, err := cmd.planArguments(c.Args().Slice())
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	if _, err := exec.LookPath("go"); err != nil {
		return fmt.Errorf("plan: it reads the source by the go command: %w; run it where the program is built", err)
	}
	questions, err := readQuestions(c)
	if err != nil {
		return err
	}
	r, err := readInputs(dirs, report.Filter{})
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	writeProblems(cmd.stderr, "plan", r.Problems)
	if err := questions.ask(r, "plan", cmd.stderr); err != nil {
		return err
	}
	progress := startProgress(cmd.stderr, time.Second)
	progress.say("reading the source of the program")
	p, err := plan.Make(plan.Options{Patterns: patterns, Tags: c.String("tags")}, r)
	progress.stop()
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	err = writeTo(c.String("output"), cmd.stdout, func(w io.Writer) error {
		if format == "html" {
			return writeHTML(w, r, p, c.String("source"))
		}
		return writePlan(w, p, c.String("explain"), format, c.Bool("all"))
	})
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	if !r.Complete() {
		return incompleteError{errors.New("plan: it rests on incomplete data: functions may have been called that are in it")}
	}
	return nil
}

// writePlan writes the plan, or what it says of one function.
func writePlan(w io.Writer, p *plan.Plan, function, format string, all bool) error {
	switch {
	case function != "":
	case format == "json":
		return plan.WriteJSON(w, p)
	case format == "markdown":
		return p.WriteMarkdown(w, all)
	case all:
		return p.WriteAll(w)
	default:
		return p.WriteText(w)
	}
	e, err := p.Explain(function)
	if err != nil {
		return err
	}
	if format == "json" {
		return plan.WriteJSON(w, e)
	}
	return e.WriteText(w)
}

// planArguments tells data directories from packages by what is in them. A directory with
// Go files is a package, even if there are data below it. What no argument names is that
// of the settings, and all below the working directory.
func (cmd *commands) planArguments(args []string) (patterns, dirs []string, err error) {
	if slices.Contains(args, "") {
		return nil, nil, errNoDir
	}
	for _, arg := range args {
		files, _ := filepath.Glob(filepath.Join(arg, "*.go"))
		mayBePackage := len(files) > 0 || arg == "." || arg == ".."
		if arg == "-" || report.IsData(arg) || !mayBePackage && report.HasData(arg) {
			dirs = append(dirs, arg)
		} else {
			patterns = append(patterns, arg)
		}
	}
	if len(dirs) == 0 {
		dir, err := cmd.settingsDataDir()
		if err != nil && len(args) > 0 {
			err = fmt.Errorf("none is a directory with data of a process: %s: %w", strings.Join(args, ", "), err)
		}
		if err != nil {
			return nil, nil, err
		}
		dirs = []string{dir}
	}
	if len(patterns) == 0 {
		patterns, err = cmd.allPackages()
	}
	return patterns, dirs, err
}
