// Functions without marks: what the program says of them.

package link

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/rewrite"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/evidence"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
)

// Reasons why a function without a mark is not observable.
const (
	reasonOtherProgram = "no mark, by evidence of another program"
	reasonNoEvidence   = "no mark, by evidence that is gone"
)

// addEvidence adds to the program what the evidence of the build says of its functions.
func (l *linking) addEvidence(p *registry.Program, packages []*registry.Metadata) error {
	digest, err := l.ReadEvidence(l.config)
	if err != nil {
		return err
	}
	hidden := 0
	if p.Presumed, hidden = presume(p.Main, digest, packages); len(p.Presumed) > 0 {
		p.Evidence = digest.Source
	}
	if (hidden > 0 || l.config.OfModules(p.Main)) && !strings.HasSuffix(p.Main, ".test") {
		warnEvidence(os.Stderr, p.Main, digest, hidden)
	}
	return nil
}

// presume returns the last calls of the functions in packages that have no mark. A function
// has no mark in all programs that contain it, and the evidence is of one program. In
// another one such a function is not observable. So it is if the digest does not know it:
// the evidence changed while the build ran. hidden is the number of these.
func presume(main string, digest *evidence.Digest, packages []*registry.Metadata) (list []registry.Presumed, hidden int) {
	for i, m := range packages {
		var known evidence.Package
		for k := range m.Functions {
			f := &m.Functions[k]
			if !f.Presumed || f.Index < 0 { // or the package could not be compiled with marks
				continue
			}
			if known.Hash == "" {
				known = digest.Package(m.ImportPath)
			}
			at := known.At(strings.TrimPrefix(f.Receiver, "*"), f.Name)
			switch {
			case digest != nil && digest.Main != main && digest.Main != "":
				hidden++
				hide(f, reasonOtherProgram)
			case at == 0:
				hidden++
				hide(f, reasonNoEvidence)
			default:
				list = append(list, registry.Presumed{Package: i, Index: f.Index, At: at})
			}
		}
	}
	return list, hidden
}

// hide makes a function not observable.
func hide(f *rewrite.Function, reason string) {
	f.Index, f.Reason, f.Presumed = -1, reason, false
}

// warnEvidence writes a line if the evidence counts for nothing, and one if functions of the
// program are not observable because of it.
func warnEvidence(out io.Writer, main string, digest *evidence.Digest, hidden int) {
	if digest != nil && digest.Problem != "" {
		fmt.Fprintf(out, "scavenger-wrap: evidence: %s counts for nothing: %s\n", digest.Source, digest.Problem)
	}
	switch {
	case hidden == 0:
	case digest != nil && digest.Problem == "" && digest.Main != main:
		fmt.Fprintf(out, "scavenger-wrap: %s: evidence: %s is of %s: functions without a mark, %d here, are not observable in this program; build it with an empty SCAVENGER_EVIDENCE, or with evidence of its own\n",
			main, digest.Source, digest.Main, hidden)
	default:
		fmt.Fprintf(out, "scavenger-wrap: %s: evidence: it changed while packages were compiled: %d functions without a mark are not observable; build it again\n", main, hidden)
	}
}
