// What doctor says of the evidence of a build.

package command

import (
	"fmt"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/evidence"
)

// evidence says whether the evidence of a build counts, and how old it is. A build does not
// look at the clock.
func (d *examination) evidence(c *config.Config, now time.Time) {
	digest, err := evidence.Read(c, evidence.Places{}, ReadCalls)
	const advice = "make it anew: scavenger-wrap report --format=json -o FILE"
	switch {
	case err != nil:
		d.say("evidence", "failed", err.Error(), "")
	case digest == nil:
	case digest.Problem != "":
		d.say("evidence", "note", digest.Source+" counts for nothing: "+digest.Problem, advice)
	default:
		age := now.Sub(digest.To)
		text := fmt.Sprintf("%d functions of %s need no mark; its last day is %s", digest.Count, digest.Main, digest.To.Format(time.DateOnly))
		if age <= c.EvidenceMaxAge {
			d.say("evidence", "ok", text, "")
		} else {
			d.say("evidence", "note", text+", and nobody sees whether they were called since", advice)
		}
	}
}
