// The importcfg files in which the go command tells compile and link where the
// archive of each import is.

package wrapper

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// An importcfg is the content of such a file. Only its packagefile lines are
// understood, all others (importmap, modinfo, what is to come) are kept.
type importcfg struct {
	lines    []string
	packages map[string]string // import path -> archive
}

func readImportcfg(file string) (*importcfg, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading importcfg: %w", err)
	}
	return parseImportcfg(string(text)), nil
}

func parseImportcfg(text string) *importcfg {
	c := &importcfg{packages: map[string]string{}}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" {
			continue
		}
		c.lines = append(c.lines, line)
		if rest, ok := strings.CutPrefix(line, "packagefile "); ok {
			if path, archive, ok := strings.Cut(strings.TrimSpace(rest), "="); ok {
				c.packages[path] = archive
			}
		}
	}
	return c
}

func (c *importcfg) clone() *importcfg {
	return &importcfg{slices.Clone(c.lines), maps.Clone(c.packages)}
}

// add adds a packagefile line, unless the package has one: the program's own
// archives come first.
func (c *importcfg) add(path, archive string) {
	if _, ok := c.packages[path]; ok {
		return
	}
	c.packages[path] = archive
	c.lines = append(c.lines, "packagefile "+path+"="+archive)
}

// modinfo returns the decoded modinfo line: what `go version -m` shows of the
// program, with the 16 bytes of framing at either end taken off. It is "" if
// there is none.
func (c *importcfg) modinfo() (string, error) {
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

// paths returns the import paths in sorted order.
func (c *importcfg) paths() []string {
	paths := make([]string, 0, len(c.packages))
	for p := range c.packages {
		paths = append(paths, p)
	}
	sort.Strings(paths)
	return paths
}

func (c *importcfg) write(file string) error {
	return writeLines(file, c.lines)
}

// writePackages writes the packagefile lines of the import paths alone, for a
// compile of ours: compile knows fewer kinds of lines than link.
func (c *importcfg) writePackages(file string, paths []string) error {
	var lines []string
	for _, p := range paths {
		if archive, ok := c.packages[p]; ok {
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
