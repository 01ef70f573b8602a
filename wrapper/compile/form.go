// The form of a package's marks: free or direct (see form.go in rewrite).

package compile

import (
	"bytes"

	"github.com/naver/scavenger/scavenger-wrap/rewrite"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// chooseForm sets the options that decide which form marks have. Marks are free only
// where the compiler is known to treat them as form.go in rewrite says: where it inlines
// functions, and in releases of Go that we know.
func (c *compilation) chooseForm(opts *rewrite.Options) error {
	if _, ok := toolchain.FlagValue(c.flags, "-l"); ok || toolchain.HasFlag(c.flags, "-l") || toolchain.HasFlag(c.flags, "-N") {
		return nil // nothing is inlined, and a free mark would be a call
	}
	opts.Inlined = true
	release, err := c.release()
	if err == nil {
		err = toolchain.CheckRelease(release)
	}
	if err != nil || toolchain.NewerThanKnown(release) {
		return err
	}
	if file, ok := toolchain.FlagValue(c.flags, "-coveragecfg"); ok {
		cfg, err := toolchain.ReadCoverageCfg(file)
		opts.Free, opts.CounterPrefix = cfg.CounterPrefix != "", cfg.CounterPrefix
		return err
	}
	opts.Main = c.symbolPrefix == "main"
	if opts.Main {
		// Two packages that provide runtime/coverage.initHook do not link.
		taken, err := c.mayHold("runtime/coverage")
		opts.Free = !taken
		return err
	}
	opts.Free = true
	return nil
}

// release returns the release of Go that compiles the package. The go command passes it
// to compile. With another builder it is the release that compiled one of the imports. It
// is "" if there is no import either.
func (c *compilation) release() (string, error) {
	if v, ok := toolchain.FlagValue(c.flags, "-goversion"); ok {
		return v, nil
	}
	cfg, err := c.importcfg()
	if err != nil {
		return "", err
	}
	for _, p := range cfg.Paths() {
		return toolchain.ObjectVersion(cfg.Packages[p])
	}
	return "", nil
}

// withoutMarks removes marks from what the compiler prints about a package, as with
// -gcflags=-m. With -m=2 the compiler prints the bodies of functions that it can inline,
// and these are shown as they were written.
func withoutMarks(message []byte) []byte {
	var out []byte
	for line := range bytes.Lines(message) {
		if bytes.Contains(line, []byte(rewrite.NamePrefix)) {
			line = markThenMore().ReplaceAll(line, nil)
			line = markLast().ReplaceAll(line, nil)
		}
		if !bytes.Contains(line, []byte(rewrite.NamePrefix)) {
			out = append(out, line...)
		}
	}
	return out
}

// These match a name of ours, and a mark of each form, in the compiler's messages. The
// compiler qualifies names and writes out conversions.
const (
	printedName = `[^\s;{}()\[]*` + rewrite.NamePrefix + `\w+`
	printedMark = `(?:if ` + printedName + `\[\d+\] == uint8\(0\) \{ ` + printedName + `\[\d+\] = uint8\(1\) \}` +
		`|(?:` + printedName + `\[\d+\] = )?` + printedName + `\([^()]*\)` +
		`|` + printedName + `\.m\d+\(` + printedName + `\(` + printedName + `\.m\d+\)\))`
)

var (
	markThenMore = lazyRegexp(printedMark + `; `)
	markLast     = lazyRegexp(`(?:; )?` + printedMark)
)
