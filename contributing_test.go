// What README.md, CONTRIBUTING.md, Makefile, .ci/run and the workflows tell people
// and machines to run.

package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/matrix"
)

const (
	workflow      = ".github/workflows/scavenger-wrap.yml"
	naverWorkflow = ".github/naver-scavenger/scavenger-wrap.yml"
)

// TestCommands checks that every `go test` names packages and tests that exist,
// and every `go run ./…` a package: a pattern with a typo runs nothing and passes.
func TestCommands(t *testing.T) {
	files := []string{".ci/run", "Makefile", workflow, naverWorkflow, releaseWorkflow, ".github/pull_request_template.md"}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, matches...)
	}
	found := 0
	for _, file := range files {
		for _, command := range goCommands(t, file) {
			found++
			if err := checkCommand(t, command); err != "" {
				t.Errorf("%s: %s: %s", file, strings.Join(command, " "), err)
			}
		}
	}
	if found < 30 {
		t.Errorf("%d commands found: are they still where this test looks?", found)
	}
}

// TestCommandsFindTypos checks what TestCommands rests on.
func TestCommandsFindTypos(t *testing.T) {
	for command, wrong := range map[string]bool{
		"go test -timeout 1h ./...":                                                 false,
		"go test ./e2e -run Heavy":                                                  false,
		"go test ./e2e -run Heavyy":                                                 true,
		"go test ./config -run Heavy":                                               true,
		"go test ./nowhere":                                                         true,
		"go test ./wrapper/... -run Toolchain":                                      false,
		"go test ./wrapper/... -run Toolchian":                                      true,
		"go test ./e2e -run=Heavy/bulid_":                                           true,
		"go test ./e2e -run 'Heavy|Matrxi'":                                         true,
		"go test ./e2e/matrix -run Settings/Flags/-race":                            false,
		"go test ./e2e/matrix -run Settings/Flags/-raec":                            true,
		"go test ./e2e/matrix -run 'Settings/(Flags|Cross_builds)/^(-race|-trim)$'": true,
		"go test ./rewrite -bench=Package":                                          false,
		"go test ./rewrite -bench=Pakcage":                                          true,
		"go run ./e2e/demo":                                                         false,
		"go run ./e2e/dmeo":                                                         true,
		"go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...":                    false,
	} {
		if err := checkCommand(t, shellWords(command)); (err != "") != wrong {
			t.Errorf("%s: got %q, want an error: %v", command, err, wrong)
		}
	}
}

// TestMapOfRooms checks that CONTRIBUTING.md says of each package what it is for.
func TestMapOfRooms(t *testing.T) {
	_, text, ok := strings.Cut(readFile(t, "CONTRIBUTING.md"), "\n## The rooms\n")
	if !ok {
		t.Fatal("CONTRIBUTING.md has no map of rooms")
	}
	rooms, _, _ := strings.Cut(text, "\n## ")
	for name := range allowedImports {
		if name == "" {
			name = "main.go"
		}
		if !strings.Contains(rooms, "`"+name+"`") {
			t.Errorf("CONTRIBUTING.md's map lacks %s", name)
		}
	}
}

// TestMakefile checks that make runs nothing that people cannot read about.
func TestMakefile(t *testing.T) {
	text := readFile(t, "Makefile")
	documents := readFile(t, "README.md") + readFile(t, "CONTRIBUTING.md")
	for line := range strings.Lines(text) {
		command, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "\t")
		if ok && !strings.HasPrefix(command, "@") && !strings.Contains(documents, command) {
			t.Errorf("neither README.md nor CONTRIBUTING.md has %q", command)
		}
	}
}

// TestWorkflows checks that the workflows of the two repositories do the same.
func TestWorkflows(t *testing.T) {
	jobs := func(file string) string {
		_, text, ok := strings.Cut(readFile(t, file), "\npermissions:\n")
		if !ok {
			t.Fatalf("%s has no permissions", file)
		}
		return text
	}
	for own, naver := range map[string]string{workflow: naverWorkflow, releaseWorkflow: naverReleaseWorkflow} {
		if strings.Replace(jobs(naver), "    working-directory: scavenger-wrap\n", "", 1) != jobs(own) {
			t.Errorf("from permissions on, %s and %s differ in more than the working directory", own, naver)
		}
	}
}

// goCommands returns the commands `go test …` and `go run …` in a file, as words.
func goCommands(t *testing.T, file string) [][]string {
	t.Helper()
	var commands [][]string
	for line := range strings.Lines(readFile(t, file)) {
		for {
			start := goCommand.FindStringIndex(line)
			if start == nil {
				break
			}
			line = line[start[0]:]
			end := commandEnd.FindStringIndex(line)[0]
			commands = append(commands, shellWords(line[:end]))
			line = line[end:]
		}
	}
	return commands
}

var (
	goCommand = regexp.MustCompile(`\bgo (test|run) [-.']`)
	// In prose a command ends with its backquote, in a table with the column, in a
	// list with the comment.
	commandEnd = regexp.MustCompile("[`#]| \\||$")
)

// shellWords splits a command at its blanks, but for those in single quotes.
func shellWords(command string) []string {
	var words []string
	for _, word := range shellWord.FindAllString(command, -1) {
		words = append(words, strings.ReplaceAll(word, "'", ""))
	}
	return words
}

var shellWord = regexp.MustCompile(`([^\s']|'[^']*')+`)

// checkCommand returns what is wrong with a command, "" for nothing.
func checkCommand(t *testing.T, command []string) string {
	t.Helper()
	var packages []string
	patterns := map[string]string{} // by kind of function: "Test" or "Benchmark"
	kinds := map[string]string{"run": "Test", "bench": "Benchmark", "fuzz": "Fuzz"}
	for i := 2; i < len(command); i++ {
		flag, value, hasValue := strings.Cut(strings.TrimPrefix(command[i], "-"), "=")
		if kind := kinds[flag]; kind != "" && strings.HasPrefix(command[i], "-") {
			if !hasValue && i+1 < len(command) {
				i++
				value = command[i]
			}
			if value != "" && value != "^$" { // no value: only named; ^$: none on purpose
				patterns[kind] = value
			}
		} else if command[i] == "." || strings.HasPrefix(command[i], "./") {
			packages = append(packages, command[i])
		}
		if command[1] == "run" {
			break // the rest is the program's
		}
	}
	for _, p := range packages {
		dir := filepath.FromSlash(strings.TrimSuffix(strings.TrimSuffix(p, "..."), "/"))
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return "no directory " + p
		}
	}
	for kind, pattern := range patterns {
		names := testNames(t, kind, packages)
		if choice := unmatched(t, pattern, names); choice != "" {
			return "no " + strings.ToLower(kind) + " matches " + choice
		}
	}
	return ""
}

// unmatched returns the choice of a pattern that matches none of names, "" if each
// matches one. It knows bars in groups or outside of them, not both, nor groups in
// groups.
func unmatched(t *testing.T, pattern string, names []string) string {
	t.Helper()
	choices := map[string]string{} // the pattern with that choice
	for choice := range strings.SplitSeq(pattern, "|") {
		choices[choice] = choice
	}
	if groups := group.FindAllStringSubmatchIndex(pattern, -1); len(groups) > 0 {
		clear(choices)
		for _, g := range groups {
			for choice := range strings.SplitSeq(pattern[g[2]:g[3]], "|") {
				choices[choice] = pattern[:g[0]] + choice + pattern[g[1]:]
			}
		}
	}
	for choice, p := range choices {
		if !slices.ContainsFunc(names, func(name string) bool { return matches(t, p, name) }) {
			return choice
		}
	}
	return ""
}

var group = regexp.MustCompile(`\(([^()]*)\)`)

// matches reports whether a pattern matches a test as the package testing does it,
// slash by slash. A test that is not as deep as the pattern does not match.
func matches(t *testing.T, pattern, name string) bool {
	t.Helper()
	patterns, elements := strings.Split(pattern, "/"), strings.Split(name, "/")
	if len(elements) < len(patterns) {
		return false
	}
	for i, p := range patterns {
		re, err := regexp.Compile(p)
		if err != nil {
			t.Fatal(err)
		}
		if !re.MatchString(elements[i]) {
			return false
		}
	}
	return true
}

// testNames returns the names of the functions of a kind in packages, and those of
// the subtests that have theirs from files and tables.
func testNames(t *testing.T, kind string, packages []string) []string {
	t.Helper()
	var names []string
	for _, p := range packages {
		for _, file := range testFiles(t, p) {
			tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, decl := range tree.Decls {
				if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, kind) {
					names = append(names, fn.Name.Name)
				}
			}
		}
		switch p {
		case "./e2e":
			names = append(names, scriptNames(t, "TestScripts", "script")...)
			names = append(names, scriptNames(t, "TestHeavy", "heavy")...)
		case "./e2e/matrix":
			for _, row := range matrix.Rows {
				test := "TestBuilds/"
				if row.Std {
					test = "TestSettings/"
				}
				if len(row.Args) > 0 {
					names = append(names, test+strings.ReplaceAll(row.List+"/"+row.Name, " ", "_"))
				}
			}
		}
	}
	return names
}

// testFiles returns the files with the tests of a package, or of a tree: "./wrapper/...".
func testFiles(t *testing.T, pattern string) (files []string) {
	t.Helper()
	root, tree := strings.CutSuffix(pattern, "/...")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && !tree:
			return fs.SkipDir
		case strings.HasSuffix(path, "_test.go"):
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func scriptNames(t *testing.T, test, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("e2e", "testdata", dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts in %s (%v)", dir, err)
	}
	for i, file := range files {
		files[i] = test + "/" + strings.TrimSuffix(filepath.Base(file), ".txtar")
	}
	return files
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
