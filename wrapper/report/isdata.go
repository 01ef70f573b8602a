// Telling data directories from others.

package report

import (
	"io/fs"
	"os"
	"slices"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// IsData reports whether a directory holds data files.
func IsData(dir string) bool {
	list, _ := os.ReadDir(dir)
	return slices.ContainsFunc(list, isDataFile)
}

// HasData reports whether there is a data directory at or below a directory.
func HasData(dir string) bool { return len(new(Inputs).search(nil, dir, dir)) > 0 }

// isDataFile reports whether a file says that its directory has data.
func isDataFile(e fs.DirEntry) bool { return !e.IsDir() && isDataName(e.Name()) }

func isDataName(name string) bool {
	_, isCodebase := datafile.CodebaseFingerprint(name)
	return isCodebase || isHits(name)
}

// isHits reports whether a name is that of a hits file. What rotates files may have put
// something behind it, as in hits-1.hits.1: what such a file says counts, and one that was
// compressed is named.
func isHits(name string) bool {
	return datafile.IsHits(datafile.HitsName(name))
}
