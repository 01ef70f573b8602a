package main

import (
	"fmt"
	"go/build"
	"go/build/constraint"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A subject is a program of $GOROOT/test.
type subject struct {
	name   string   // path below $GOROOT/test, without .go
	action string   // run, rundir, …
	flags  []string // for go build
	env    []string // for the build and the run
	args   []string // of the program
	more   []string // further source files beside it
	text   []byte   // of the source, if it is none of $GOROOT/test's

	release string // of the language, for a module of its own; "" for the oldest that Go's own test has
}

// actions are those of $GOROOT/test's that run a program.
var actions = []string{"run", "buildrun", "rundir", "runindir", "buildrundir", "errorcheckandrundir", "runoutput"}

// choose returns the programs of those names, or all that are for this system.
func choose(goroot string, names []string) ([]subject, error) {
	root := filepath.Join(goroot, "test")
	if len(names) == 0 {
		return findAll(root)
	}
	var chosen []subject
	for _, name := range names {
		s, err := readSubject(root, strings.TrimSuffix(name, ".go"))
		if err != nil {
			return nil, err
		}
		if s == nil {
			return nil, fmt.Errorf("%s is not run, or not on this system; see -list", name)
		}
		chosen = append(chosen, *s)
	}
	return chosen, nil
}

func findAll(root string) ([]subject, error) {
	var all []subject
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasSuffix(path, ".dir"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go"):
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		s, err := readSubject(root, strings.TrimSuffix(filepath.ToSlash(rel), ".go"))
		if s != nil {
			all = append(all, *s)
		}
		return err
	})
	return all, err
}

// readSubject reads the head of a source file. It returns nil if the file is no
// program to run here.
func readSubject(root, name string) (*subject, error) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)+".go"))
	if err != nil {
		return nil, err
	}
	recipe := ""
	head, _, _ := strings.Cut(string(text), "\npackage")
	for line := range strings.Lines(head) {
		line = strings.TrimSpace(line)
		if constraint.IsGoBuild(line) || constraint.IsPlusBuild(line) {
			if expr, err := constraint.Parse(line); err == nil && !expr.Eval(hasTag) {
				return nil, nil
			}
		} else if recipe == "" {
			recipe = strings.TrimSpace(strings.TrimPrefix(line, "//"))
		}
	}
	words := splitQuoted(recipe)
	if len(words) == 0 || !slices.Contains(actions, words[0]) {
		return nil, nil
	}
	s := &subject{name: name, action: words[0]}
	s.parse(words[1:])
	return s, nil
}

// hasTag reports what Go's own test of these programs reports.
func hasTag(tag string) bool {
	c := build.Default
	return tag == c.GOOS || tag == c.GOARCH || tag == "gc" || tag == "test_run" || tag == "cgo" && c.CgoEnabled ||
		slices.Contains(c.ReleaseTags, tag) || strings.HasPrefix(tag, "goexperiment.") && slices.Contains(c.ToolTags, tag)
}

// parse reads what stands behind the action: flags, then arguments.
func (s *subject) parse(words []string) {
	for len(words) > 0 && strings.HasPrefix(words[0], "-") {
		word := words[0]
		words = words[1:]
		switch {
		case word == "-0" || word == "-1" || word == "-s": // about errors, and about directories
		case len(words) > 0 && word == "-t": // a time limit
			words = words[1:]
		case len(words) > 0 && word == "-gomodversion":
			s.release, words = words[0], words[1:]
		case len(words) > 0 && word == "-goexperiment":
			s.env = append(s.env, "GOEXPERIMENT="+words[0])
			words = words[1:]
		case len(words) > 0 && word == "-godebug":
			s.env = append(s.env, "GODEBUG="+words[0])
			words = words[1:]
		case word == "-ldflags": // it takes all that follows
			s.flags = append(s.flags, "-ldflags="+strings.Join(words, " "))
			words = nil
		case len(words) > 0 && word == "-gcflags":
			s.flags = append(s.flags, "-gcflags="+words[0])
			words = words[1:]
		case (s.action == "rundir" || s.action == "errorcheckandrundir") && !strings.HasPrefix(word, "-gcflags"): // a flag of compile, for all packages
			s.flags = append(s.flags, "-gcflags="+modulePath+"/...="+word)
		default:
			s.flags = append(s.flags, word)
		}
	}
	for _, word := range words {
		if strings.HasSuffix(word, ".go") {
			s.more = append(s.more, strings.TrimPrefix(word, "./"))
		} else {
			s.args = append(s.args, word)
		}
	}
}

// splitQuoted splits at spaces that stand in no quotes, and takes quotes away.
func splitQuoted(text string) []string {
	var words []string
	var word strings.Builder
	quote, inside := rune(0), false
	for _, r := range text + " " {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, inside = r, true
		case r == ' ' || r == '\t':
			if inside {
				words = append(words, word.String())
			}
			word.Reset()
			inside = false
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	return words
}
