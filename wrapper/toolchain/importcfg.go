// The importcfg files in which the go command tells compile and link where the
// archive of each import is.

package toolchain

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// An Importcfg is the content of such a file. It understands only packagefile lines, and
// keeps all others (importmap, modinfo, and what later releases may add).
type Importcfg struct {
	lines    []string
	Packages map[string]string // import path -> archive
}

// ReadImportcfg reads an importcfg file.
func ReadImportcfg(file string) (*Importcfg, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading importcfg: %w", err)
	}
	return ParseImportcfg(string(text)), nil
}

// ParseImportcfg returns what the text of an importcfg file says.
func ParseImportcfg(text string) *Importcfg {
	c := &Importcfg{Packages: map[string]string{}}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" {
			continue
		}
		c.lines = append(c.lines, line)
		if rest, ok := strings.CutPrefix(line, "packagefile "); ok {
			if path, archive, ok := strings.Cut(strings.TrimSpace(rest), "="); ok {
				c.Packages[path] = archive
			}
		}
	}
	return c
}

// Clone returns a copy.
func (c *Importcfg) Clone() *Importcfg {
	return &Importcfg{slices.Clone(c.lines), maps.Clone(c.Packages)}
}

// Add adds a packagefile line, unless the package has one: the program's own
// archives come first.
func (c *Importcfg) Add(path, archive string) {
	if _, ok := c.Packages[path]; ok {
		return
	}
	c.Packages[path] = archive
	c.lines = append(c.lines, "packagefile "+path+"="+archive)
}

// Modinfo returns the decoded modinfo line: what `go version -m` shows of the
// program, with the 16 bytes of framing at either end taken off. It is "" if
// there is none.
func (c *Importcfg) Modinfo() (string, error) {
	for _, line := range c.lines {
		if quoted, ok := strings.CutPrefix(line, "modinfo "); ok {
			s, err := strconv.Unquote(quoted)
			if err != nil {
				return "", fmt.Errorf("reading modinfo of importcfg: %w", err)
			}
			if len(s) < 32 {
				return "", fmt.Errorf("reading modinfo of importcfg: only %d bytes", len(s))
			}
			return s[16 : len(s)-16], nil
		}
	}
	return "", nil
}

// Paths returns the import paths in sorted order.
func (c *Importcfg) Paths() []string {
	return slices.Sorted(maps.Keys(c.Packages))
}

// Write writes an importcfg file.
func (c *Importcfg) Write(file string) error {
	return writeLines(file, c.lines)
}

// WritePackages writes the packagefile lines of the import paths alone, for a
// compile of ours: compile knows fewer kinds of lines than link.
func (c *Importcfg) WritePackages(file string, paths []string) error {
	var lines []string
	for _, p := range paths {
		if archive, ok := c.Packages[p]; ok {
			lines = append(lines, "packagefile "+p+"="+archive)
		}
	}
	return writeLines(file, lines)
}

func writeLines(file string, lines []string) error {
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o666); err != nil {
		return fmt.Errorf("writing importcfg: %w", err)
	}
	return nil
}

// Imported returns the import path that a path in the source stands for. The two differ
// if the package is vendored by the standard library.
func (c *Importcfg) Imported(path string) string {
	for _, line := range c.lines {
		if rest, ok := strings.CutPrefix(line, "importmap "); ok {
			if before, after, ok := strings.Cut(strings.TrimSpace(rest), "="); ok && before == path {
				return after
			}
		}
	}
	return path
}

// SetGcflags sets the value of -gcflags in modinfo, or removes it if value is "".
func (c *Importcfg) SetGcflags(value string) error {
	text, err := c.Modinfo()
	if err != nil || text == "" {
		return err
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "build\t-gcflags=") {
			b.WriteString(line)
		} else if value != "" {
			if strings.ContainsAny(value, " \t\r\n\"`") { // as debug.BuildInfo writes it
				value = strconv.Quote(value)
			}
			b.WriteString("build\t-gcflags=" + value + "\n")
		}
	}
	for i, line := range c.lines {
		if quoted, ok := strings.CutPrefix(line, "modinfo "); ok {
			framed, err := strconv.Unquote(quoted)
			if err != nil {
				return fmt.Errorf("reading modinfo of importcfg: %w", err)
			}
			c.lines[i] = fmt.Sprintf("modinfo %q", framed[:16]+b.String()+framed[len(framed)-16:])
		}
	}
	return nil
}
