// Package registry generates the registry: the package that hands a program's mark arrays
// to hitrt. The stub of the registry is here too, the metadata by which archives of
// marked packages describe themselves, and what doctor reads from a binary.
//
// It may import rewrite, wrapper/action, wrapper/toolchain and wrapper/toolchain/lean.
package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"runtime/debug"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/rewrite"
)

// A Program is what the registry says of the program as a whole.
type Program struct {
	Main     string            // import path of the main package
	BuiltBy  string            // version of scavenger-wrap
	Settings map[string]string // baked in
	Signals  bool              // hitrt may take signals, see Program of hitrt
	Build    *debug.BuildInfo  // what `go version -m` will show

	// Presumed are the functions without marks whose calls the evidence knows, in the
	// order of packages and cells. Evidence is its name.
	Presumed []Presumed
	Evidence string

	Unlisted string // which functions are in no package's list, as hitrt wants it
}

// A Presumed is the last call of a function without a mark.
type Presumed struct {
	Package, Index int   // of the function: the position of its package, and its cell
	At             int64 // Unix milliseconds
}

// version returns the version of the main module, or else the revision that the program is
// built from.
func (p *Program) version() string {
	if v := p.Build.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	revision := p.setting("vcs.revision")
	return revision[:min(12, len(revision))]
}

// isExecutable reports whether it is a program, and no library or plugin.
func (p *Program) isExecutable() bool {
	mode := p.setting("-buildmode")
	return mode == "exe" || mode == "pie"
}

// setting returns a setting of the build, "" if unknown.
func (p *Program) setting(key string) string {
	for _, s := range p.Build.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// Source returns the source of the registry. Apart from one call it is all static data,
// which the linker lays out: nothing is built when the program starts. It refers to the
// mark arrays by go:linkname, so that the marked packages need not know the registry. The
// cells are in the middle of a mark array. The padding around them lets hitrt map a file
// over them.
func Source(p Program, packages []*Metadata) ([]byte, error) {
	settings := maps.Clone(p.Settings)
	settings[builtByKey] = p.BuiltBy
	baked, err := json.Marshal(settings) // map keys in sorted order
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(GeneratedHeader + "package registry\n\nimport (\n")
	fmt.Fprintf(&b, "\t\"internal/runtime/exithook\"\n\t_ \"unsafe\" // for go:linkname\n\n\t%q\n)\n\n", HitrtPath)
	for i, p := range packages {
		if p.Marks > 0 {
			fmt.Fprintf(&b, "//go:linkname marks%d %s\nvar marks%d [%d]uint8\n\n", i, p.Symbol, i, p.Marks+2*rewrite.Padding)
		}
	}
	b.WriteString("var packages = [...]hitrt.Package{\n")
	for i, p := range packages {
		fmt.Fprintf(&b, "\t{Path: %q, ", p.ImportPath)
		if p.Marks > 0 {
			fmt.Fprintf(&b, "Marks: marks%d[%d:%d], Padding: %d, ", i, rewrite.Padding, rewrite.Padding+p.Marks, rewrite.Padding)
		}
		text := entries(p.Functions)
		if inOrder(p.Functions, text) {
			fmt.Fprintf(&b, "InOrder: %d, ", len(p.Functions))
		}
		fmt.Fprintf(&b, "Entries: %q},\n", entriesHeader(p)+text)
	}
	b.WriteString("}\n\n")
	static := staticCells(packages)
	if static != "" {
		fmt.Fprintf(&b, "var static = [...]*uint8{\n%s}\n\n", static)
		static = "Static: static[:], "
	}
	presumed := presumedCalls(p.Presumed)
	if presumed != "" {
		fmt.Fprintf(&b, "var presumed = [...]hitrt.Presumed{\n%s}\n\n", presumed)
		presumed = fmt.Sprintf("Presumed: presumed[:], Evidence: %q, ", p.Evidence)
	}
	fmt.Fprintf(&b, "var program = hitrt.Program{Main: %q, Module: %q, Version: %q, Executable: %v, Settings: %q, Packages: packages[:], %s%sSignals: %v, Unlisted: %q, Fingerprint: %q}\n\n",
		p.Main, p.Build.Main.Path, p.version(), p.isExecutable(), baked, static, presumed, p.Signals, p.Unlisted, p.fingerprint(packages))
	b.WriteString(`func init() {
	if hitrt.Register(&program) {
		exithook.Add(exithook.Hook{F: hitrt.Exit, RunOnFailure: true})
	}
}
`)
	return b.Bytes(), nil
}

// staticCells returns the cells of static functions, as elements of a list in Go, or ""
// if there are none.
func staticCells(packages []*Metadata) string {
	var b strings.Builder
	for i, p := range packages {
		for _, f := range p.Functions {
			if f.Static && f.Index >= 0 {
				fmt.Fprintf(&b, "\t&marks%d[%d],\n", i, rewrite.Padding+f.Index)
			}
		}
	}
	return b.String()
}

// presumedCalls returns the calls of presumed functions, as elements of a list in Go, or
// "" if there are none.
func presumedCalls(list []Presumed) string {
	var b strings.Builder
	for _, p := range list {
		fmt.Fprintf(&b, "\t{%d, %d, %d},\n", p.Package, p.Index, p.At)
	}
	return b.String()
}

// inOrder reports whether the functions have the indices 0, 1, 2 and so on, so that hitrt
// need not parse them. text is their entries. It must have one line for each function,
// and has more if a name contains a line end.
func inOrder(functions []rewrite.Function, text string) bool {
	for i, f := range functions {
		if f.Index != i {
			return false
		}
	}
	return strings.Count(text, "\n") == len(functions)
}

// fingerprint returns a hash of all that hitrt reads about the program's functions, those
// that it does not list among them: the codebase file that it names says which these are.
func (p *Program) fingerprint(packages []*Metadata) string {
	h := sha256.New()
	for _, p := range packages {
		text := entries(p.Functions)
		fmt.Fprintf(h, "%q %d %d\n%s", p.ImportPath, p.Marks, len(text), text)
	}
	if len(p.Presumed) > 0 {
		fmt.Fprintf(h, "%q %v\n", p.Evidence, p.Presumed)
	}
	fmt.Fprintf(h, "%q\n", p.Unlisted)
	return hex.EncodeToString(h.Sum(nil))
}

// The import paths of hitrt and of the registry.
const (
	HitrtPath = "github.com/naver/scavenger/scavenger-wrap/hitrt"
	Path      = HitrtPath + "/registry"
)

// IsOurs reports whether a package is one that we add to programs, or the API.
func IsOurs(path string) bool {
	return path == HitrtPath || strings.HasPrefix(path, HitrtPath+"/")
}

// GeneratedHeader begins each file of ours.
const GeneratedHeader = "// Code generated by scavenger-wrap. DO NOT EDIT.\n\n"
