// Releases of Go that are too old, and those that did not exist when this version of
// scavenger-wrap was made. What it relies on beyond the documented contract of
// -toolexec (the form of archives and fingerprints, the package
// internal/runtime/exithook, names that //go:linkname reaches) mostly stays as it is
// from release to release, so a newer one is given a try (wrapper/link/newrelease.go).

package toolchain

import (
	"fmt"
	goversion "go/version"
	"strings"
)

// NewestKnown is the newest release that this version is tested with.
const NewestKnown = "go1.27"

// ReleaseOf returns the release that words name, "" if none does.
func ReleaseOf(words []string) string {
	for _, w := range words {
		// Development versions are "devel go1.28-3c1a9b4" or "go1.28-devel_3c1a9b4".
		if strings.HasPrefix(w, "go1.") {
			release, _, _ := strings.Cut(w, "-")
			return release
		}
	}
	return ""
}

// NewerThanKnown reports whether a release is newer than those that we know. A version
// that names no release counts as newer.
func NewerThanKnown(release string) bool {
	lang := goversion.Lang(release)
	return lang == "" || goversion.Compare(lang, NewestKnown) > 0
}

// oldestKnown is the oldest release that has what hitrt is written with.
const oldestKnown = "go1.24"

// CheckRelease returns an error for a release that is too old. A version that names no
// release is accepted.
func CheckRelease(release string) error {
	if lang := goversion.Lang(release); lang != "" && goversion.Compare(lang, oldestKnown) < 0 {
		return fmt.Errorf("needs Go %s or newer, this is %s", strings.TrimPrefix(oldestKnown, "go"), release)
	}
	return nil
}
