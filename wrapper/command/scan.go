// scavenger-wrap scan: what a build would mark.

package command

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/rewrite"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/compile"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/link"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// A scan is what a build would mark. It is the JSON output.
type scan struct {
	Settings  string           `json:"settings,omitempty"` // the file
	Packages  []scannedPackage `json:"packages"`
	Unmatched []unmatched      `json:"unmatched"` // patterns that match no package
	Notes     []string         `json:"notes"`
}

// A scannedPackage is a package that matches, or one of a main module that does
// not.
type scannedPackage struct {
	Package       string         `json:"package"`
	Functions     int            `json:"functions"`
	NotObservable map[string]int `json:"notObservable,omitempty"` // of them, by reason
	LeftOut       map[string]int `json:"leftOut,omitempty"`       // besides, by key
	NotMarked     string         `json:"notMarked,omitempty"`     // why the package is not

	leftOut    []rewrite.Function
	directives []string // that the report will not obey
}

type unmatched struct {
	Key     string `json:"key"`
	Pattern string `json:"pattern"`
	From    string `json:"from"`
}

func (cmd *commands) scanCommand() *cli.Command {
	return &cli.Command{
		Name:      "scan",
		Usage:     "show what a build would mark, and why not the rest",
		ArgsUsage: "[packages]",
		Description: "Packages are named as for go build; without any, all below the working directory\n" +
			"are scanned, with what they import. Nothing is built.\n\n" +
			"Exit status 1: a pattern of packages, excludePackages or additionalPackages\n" +
			"matches nothing, or the functions are more than maxMethodsCount.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Value: "text", Usage: "text or json"},
			&cli.BoolFlag{Name: "left-out", Usage: "list each function that the settings leave out"},
		},
		Action: func(c *cli.Context) error {
			if err := arguments(c, -1, ""); err != nil {
				return err
			}
			format, err := oneOf(c, "format", "text", "json")
			if err != nil {
				return err
			}
			cfg, err := cmd.buildConfig()
			if err != nil {
				return err
			}
			s, err := cmd.scan(cfg, c.Args().Slice())
			if err != nil {
				return fmt.Errorf("scan: %w", err)
			}
			if format == "json" {
				enc := json.NewEncoder(cmd.stdout)
				enc.SetIndent("", "\t")
				if err := enc.Encode(s); err != nil {
					return err
				}
			} else {
				s.writeText(cmd.stdout, c.Bool("left-out"))
			}
			return s.problem(cfg)
		},
	}
}

func (cmd *commands) scan(cfg *config.Config, patterns []string) (*scan, error) {
	p := startProgress(cmd.stderr, time.Second)
	defer p.stop()
	p.say("asking the go command for the packages")
	packages, err := cmd.list(patterns)
	if err != nil {
		return nil, err
	}
	s := &scan{Settings: cfg.File, Packages: []scannedPackage{}, Unmatched: []unmatched{}, Notes: append([]string{}, cfg.Notes...)}
	s.Notes = append(s.Notes, config.Misspelled(os.Environ())...)
	for _, o := range cfg.Overlooked() {
		s.Notes = append(s.Notes, o.Message())
	}
	if _, _, err := readGoEnv("go", ""); err != nil {
		s.Notes = append(s.Notes, fmt.Sprintf("a build would fail: scavenger-wrap %v", err))
	}
	var paths []string
	for i := range packages {
		lp := &packages[i]
		if lp.Standard {
			continue
		}
		p.say("package %d of %d: %s", i+1, len(packages), lp.ImportPath)
		if !lp.DepOnly && lp.Module != nil && lp.Module.Main {
			for _, o := range cfg.OverlookedOf(lp.Dir) {
				s.Notes = append(s.Notes, o.Message())
			}
		}
		paths = append(paths, lp.ImportPath)
		if matches(cfg, lp) {
			p := scanPackage(cfg, lp)
			s.Packages = append(s.Packages, p)
			s.Notes = append(s.Notes, p.directives...)
		} else if !lp.DepOnly {
			s.Packages = append(s.Packages, scannedPackage{Package: lp.ImportPath, NotMarked: compile.NoMatch(cfg, lp.ImportPath)})
		}
	}
	slices.SortFunc(s.Packages, func(a, b scannedPackage) int { return strings.Compare(a.Package, b.Package) })
	for _, u := range cfg.Unmatched(paths) {
		s.Unmatched = append(s.Unmatched, unmatched{u.Key.Name, u.List[0], u.From})
	}
	return s, nil
}

func scanPackage(cfg *config.Config, lp *toolchain.ListedPackage) scannedPackage {
	p := scannedPackage{Package: lp.ImportPath, NotObservable: map[string]int{}, LeftOut: map[string]int{}}
	res, _, err := mark(cfg, lp, nil)
	if err != nil {
		p.NotMarked = err.Error()
		return p
	}
	p.Functions, p.leftOut = len(res.Functions), res.LeftOut
	for _, f := range res.Functions {
		if f.Index < 0 {
			p.NotObservable[f.Reason]++
		}
	}
	for _, f := range res.LeftOut {
		p.LeftOut[f.Reason]++
	}
	p.directives = wrongDirectives(res.Functions)
	return p
}

// wrongDirectives says which //scavenger:keep comments count for nothing, each once. A
// build takes them as they are.
func wrongDirectives(functions []rewrite.Function) (notes []string) {
	seen := map[string]bool{}
	for _, f := range functions {
		if f.Directive == "" || seen[f.File+f.Directive] {
			continue
		}
		seen[f.File+f.Directive] = true
		if err := report.CheckDirective(f.Directive); err != nil {
			notes = append(notes, fmt.Sprintf("%s:%d: //scavenger:keep does not count: %v", f.File, f.Line, err))
		}
	}
	return notes
}

func sum(counts map[string]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}

// problem returns the error that makes the exit status 1, or nil.
func (s *scan) problem(cfg *config.Config) error {
	counts, marked := map[string]int{}, false
	for _, p := range s.Packages {
		counts[p.Package] = p.Functions
		marked = marked || p.NotMarked == ""
	}
	hint := ""
	if len(cfg.Modules) > 0 && !marked {
		hint = fmt.Sprintf("; import paths of this module begin with %s, and without packages all of it is marked", cfg.Modules[0].Path)
	}
	switch {
	case len(s.Unmatched) == 1:
		u := s.Unmatched[0]
		return fmt.Errorf("%s: %s: %q matches no package%s", u.From, u.Key, u.Pattern, hint)
	case len(s.Unmatched) > 1:
		return fmt.Errorf("%d patterns match no package%s", len(s.Unmatched), hint)
	case sum(counts) > cfg.MaxMethodsCount:
		return fmt.Errorf("a program with all these %d functions would not link: they are %w", sum(counts), link.TooMany(cfg, counts))
	}
	return nil
}

func (s *scan) writeText(out io.Writer, each bool) {
	file := s.Settings
	if file == "" {
		file = "none"
	}
	fmt.Fprintf(out, "Settings file: %s\n\nFUNCTIONS  NOT OBSERVABLE  LEFT OUT  PACKAGE\n", indented(file, 2))
	var total scannedPackage
	total.NotObservable, total.LeftOut = map[string]int{}, map[string]int{}
	for _, p := range s.Packages {
		if p.NotMarked != "" {
			continue
		}
		fmt.Fprintf(out, "%9d  %14d  %8d  %s\n", p.Functions, sum(p.NotObservable), sum(p.LeftOut), p.Package)
		total.Functions += p.Functions
		for reason, n := range p.NotObservable {
			total.NotObservable[reason] += n
		}
		for reason, n := range p.LeftOut {
			total.LeftOut[reason] += n
		}
	}
	fmt.Fprintf(out, "%9d  %14d  %8d  total\n", total.Functions, sum(total.NotObservable), sum(total.LeftOut))
	writeCounts(out, "Not observable, listed but never called dead:", total.NotObservable)
	writeCounts(out, "Left out by:", total.LeftOut)
	if each {
		for _, p := range s.Packages {
			for _, f := range p.leftOut {
				name := f.Name
				if f.Receiver != "" {
					name = "(" + f.Receiver + ")." + name
				}
				fmt.Fprintf(out, "  %s:%d %s  (%s)\n", f.File, f.Line, name, f.Reason)
			}
		}
	}
	title := "\nNot marked:\n"
	for _, p := range s.Packages {
		if p.NotMarked != "" {
			fmt.Fprintf(out, "%s  %s: %s\n", title, p.Package, indented(p.NotMarked, 4))
			title = ""
		}
	}
	title = "\nPatterns that match no package:\n"
	for _, u := range s.Unmatched {
		fmt.Fprintf(out, "%s  %s: %s: %s\n", title, indented(u.From, 4), u.Key, indented(u.Pattern, 4))
		title = ""
	}
	title = "\nNotes:\n"
	for _, n := range s.Notes {
		fmt.Fprintf(out, "%s  %s\n", title, indented(n, 4))
		title = ""
	}
}

func writeCounts(out io.Writer, title string, counts map[string]int) {
	if len(counts) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n", title)
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(out, "%9d  %s\n", counts[reason], reason)
	}
}
