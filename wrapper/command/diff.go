// scavenger-wrap diff: the marked source.

package command

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/evidence"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

func (cmd *commands) diffCommand() *cli.Command {
	return &cli.Command{
		Name:      "diff",
		Usage:     "show what a build would insert, as a unified diff",
		ArgsUsage: "[packages]",
		Description: "Packages are named as for go build. Those that match are shown as the compiler\n" +
			"gets them; no file is changed. On a terminal, control characters in them are shown\n" +
			"as \\u001b; elsewhere the output is exact, as patch needs it.\n\n" +
			"Exit status 1: none matches.",
		Action: func(c *cli.Context) error {
			if err := arguments(c, -1, ""); err != nil {
				return err
			}
			cfg, err := cmd.buildConfig()
			if err != nil {
				return err
			}
			packages, err := cmd.list(c.Args().Slice())
			if err != nil {
				return fmt.Errorf("diff: %w", err)
			}
			digest, err := evidence.Read(cfg, evidence.Places{}, ReadCalls)
			if err != nil {
				return fmt.Errorf("diff: %w", err)
			}
			out := cmd.stdout
			if !isTerminal(out) {
				out = unescaped(out)
			}
			found := false
			for i := range packages {
				p := &packages[i]
				if p.Standard || p.DepOnly || !matches(cfg, p) {
					continue
				}
				found = true
				if err := diffPackage(out, cfg, p, digest); err != nil {
					return err
				}
			}
			if !found {
				return errors.New("diff: no package matches; scavenger-wrap scan says why")
			}
			return nil
		},
	}
}

// diffPackage writes what marks change in a package, and the file that they add.
func diffPackage(out io.Writer, cfg *config.Config, p *toolchain.ListedPackage, digest *evidence.Digest) error {
	res, sources, err := mark(cfg, p, digest)
	if err != nil {
		return fmt.Errorf("diff: %s: %w", p.ImportPath, err)
	}
	dir := cfg.SourceDir(p.ImportPath)
	for i, text := range res.Files {
		if text == nil {
			continue
		}
		name := filepath.ToSlash(filepath.Join(dir, filepath.Base(sources[i].Name)))
		if err := writeDiff(out, name, sources[i].Text, text); err != nil {
			return err
		}
	}
	if res.Declarations == nil {
		return nil
	}
	return writeNew(out, filepath.ToSlash(filepath.Join(dir, "_scavenger_marks.go")), res.Declarations)
}

const contextLines = 3

// writeDiff writes the difference between a file and its marked copy. Marks
// never add a line, but for a header, so lines are compared one by one.
func writeDiff(out io.Writer, name string, before, after []byte) error {
	a, b := splitLines(before), splitLines(after)
	header := len(b) - len(a)
	if header < 0 || header > 1 {
		return fmt.Errorf("internal error: %s has %d lines, and %d marked", name, len(a), len(b))
	}
	var d bytes.Buffer
	fmt.Fprintf(&d, "--- a/%s\n+++ b/%s\n", name, name)
	changed := func(i int) bool { return a[i] != b[i+header] }
	for i := 0; i < len(a); {
		if !(i == 0 && header == 1) && !changed(i) {
			i++
			continue
		}
		// A hunk ends where more lines are unchanged than its context and that of the
		// next hunk.
		start, end := max(0, i-contextLines), i
		for j := i; j < len(a) && j <= end+2*contextLines; j++ {
			if changed(j) {
				end = j
			}
		}
		stop := min(len(a), end+contextLines+1)
		writeHunk(&d, a, b, start, stop, header)
		i = stop
	}
	_, err := d.WriteTo(out)
	return err
}

// writeHunk writes lines start to stop of a. The header of b is in front of the
// first.
func writeHunk(d *bytes.Buffer, a, b []string, start, stop, header int) {
	added := 0
	if start == 0 {
		added = header
	}
	fmt.Fprintf(d, "@@ -%d,%d +%d,%d @@\n", start+1, stop-start, start+1+header-added, stop-start+added)
	for _, line := range b[:added] {
		writeLine(d, '+', line)
	}
	for i := start; i < stop; {
		if a[i] == b[i+header] {
			writeLine(d, ' ', a[i])
			i++
			continue
		}
		end := i
		for end < stop && a[end] != b[end+header] {
			end++
		}
		for _, line := range a[i:end] {
			writeLine(d, '-', line)
		}
		for _, line := range b[i+header : end+header] {
			writeLine(d, '+', line)
		}
		i = end
	}
}

func writeNew(out io.Writer, name string, text []byte) error {
	lines := splitLines(text)
	var d bytes.Buffer
	fmt.Fprintf(&d, "--- /dev/null\n+++ b/%s\n@@ -0,0 +1,%d @@\n", name, len(lines))
	for _, line := range lines {
		writeLine(&d, '+', line)
	}
	_, err := d.WriteTo(out)
	return err
}

// splitLines returns the lines with their ends.
func splitLines(text []byte) []string {
	lines := strings.SplitAfter(string(text), "\n")
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last]
	}
	return lines
}

func writeLine(d *bytes.Buffer, sign byte, line string) {
	d.WriteByte(sign)
	d.WriteString(line)
	if !strings.HasSuffix(line, "\n") {
		d.WriteString("\n\\ No newline at end of file\n")
	}
}
