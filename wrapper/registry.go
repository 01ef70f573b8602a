// The registry: the generated package that hands the program's marks to hitrt.

package wrapper

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/rewrite"
)

func sortByImportPath(packages []*metadata) {
	slices.SortFunc(packages, func(a, b *metadata) int { return cmp.Compare(a.ImportPath, b.ImportPath) })
}

// registrySource returns the source of the registry. All of it but the one call
// is static data, laid out by the linker; nothing is built when the program
// starts. The mark arrays are reached by go:linkname, so that the marked
// packages need not know of the registry. The marks are the middle of an array;
// what is around them is why hitrt can map a file over them.
func registrySource(main, builtBy string, settings map[string]string, packages []*metadata) ([]byte, error) {
	settings = maps.Clone(settings)
	settings[builtByKey] = builtBy
	baked, err := json.Marshal(settings) // map keys in sorted order
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(generatedHeader + "package registry\n\nimport (\n")
	fmt.Fprintf(&b, "\t\"internal/runtime/exithook\"\n\t_ \"unsafe\" // for go:linkname\n\n\t%q\n)\n\n", hitrtPath)
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
	static := staticMarks(packages)
	if static != "" {
		fmt.Fprintf(&b, "var static = [...]*uint8{\n%s}\n\n", static)
	}
	fmt.Fprintf(&b, "var program = hitrt.Program{Main: %q, Settings: %q, Packages: packages[:], Fingerprint: %q}\n\n", main, baked, programFingerprint(packages))
	b.WriteString("func init() {\n")
	if static != "" {
		b.WriteString("\tfor _, mark := range static {\n\t\t*mark = 1\n\t}\n")
	}
	b.WriteString(`	if hitrt.Register(&program) {
		exithook.Add(exithook.Hook{F: hitrt.Exit, RunOnFailure: true})
	}
}
`)
	return b.Bytes(), nil
}

// staticMarks returns the elements of a list of the marks that are set when the program
// starts: those of the functions that its variables are initialised with but that leave
// no code. "" means that there are none.
func staticMarks(packages []*metadata) string {
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

// inOrder reports whether functions, of which text is the entries, have the mark
// indices 0, 1, and so on, which is to be told to hitrt. A name with a line end in it
// would make two lines of one.
func inOrder(functions []rewrite.Function, text string) bool {
	for i, f := range functions {
		if f.Index != i {
			return false
		}
	}
	return strings.Count(text, "\n") == len(functions)
}

// programFingerprint stands for all that hitrt reads of the packages' functions.
func programFingerprint(packages []*metadata) string {
	h := sha256.New()
	for _, p := range packages {
		text := entries(p.Functions)
		fmt.Fprintf(h, "%q %d %d\n%s", p.ImportPath, p.Marks, len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// entries returns functions in the form that hitrt reads (codebase.go there):
// a line each, of tab-separated mark index or "-" and the reason why there is
// none, file (empty if it is that of the line before), line, receiver, name and
// parameter types.
func entries(functions []rewrite.Function) string {
	var b []byte
	file := ""
	for _, f := range functions {
		if f.Index < 0 {
			b = append(append(b, '-'), f.Reason...)
		} else {
			b = strconv.AppendInt(b, int64(f.Index), 10)
		}
		b = append(b, '\t')
		if f.File != file {
			file = f.File
			b = append(b, file...)
		}
		b = append(b, '\t')
		b = strconv.AppendInt(b, int64(f.Line), 10)
		for _, s := range []string{f.Receiver, f.Name, f.Params} {
			b = append(append(b, '\t'), s...)
		}
		b = append(b, '\n')
	}
	return string(b)
}
