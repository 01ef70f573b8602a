// Telling data directories from others.

package report

import (
	"os"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// IsData reports whether a directory holds data files.
func IsData(dir string) bool {
	list, _ := os.ReadDir(dir)
	for _, e := range list {
		if _, isCodebase := datafile.CodebaseFingerprint(e.Name()); !e.IsDir() && (isCodebase || datafile.IsHits(e.Name())) {
			return true
		}
	}
	return false
}
