// Releases of Go that are too old, and those that did not exist when this version
// of scavenger-wrap was made. What it relies on beyond the documented contract of -toolexec (the form
// of archives and fingerprints, the package internal/runtime/exithook, names
// that //go:linkname reaches) mostly stays as it is from release to release, so
// a newer one is given a try. When something has changed, the program is built
// all the same, without reporting, and a message says so.

package wrapper

import (
	"bytes"
	"fmt"
	goversion "go/version"
	"os"
	"strings"
)

// newestKnown is the newest release that this version is tested with.
const newestKnown = "go1.27"

// objectVersion returns the release that an archive was compiled with, such as
// "go1.26.8".
func objectVersion(archive string) (string, error) {
	fields, err := objectHeader(archive)
	if err != nil {
		return "", err
	}
	if release := releaseOf(fields[4:]); release != "" {
		return release, nil
	}
	return fields[4], nil
}

// releaseOf returns the release that words name, "" if none does.
func releaseOf(words []string) string {
	for _, w := range words {
		// Development versions are "devel go1.28-3c1a9b4" or "go1.28-devel_3c1a9b4".
		if strings.HasPrefix(w, "go1.") {
			release, _, _ := strings.Cut(w, "-")
			return release
		}
	}
	return ""
}

// newerThanKnown reports whether a release is none of those that we know. A
// version that says nothing counts as one.
func newerThanKnown(release string) bool {
	lang := goversion.Lang(release)
	return lang == "" || goversion.Compare(lang, newestKnown) > 0
}

// oldestKnown is the oldest release that has what hitrt is written with.
const oldestKnown = "go1.24"

// checkRelease returns an error for a release that is too old. One that is not
// known may be any.
func checkRelease(release string) error {
	if lang := goversion.Lang(release); lang != "" && goversion.Compare(lang, oldestKnown) < 0 {
		return fmt.Errorf("needs Go %s or newer, this is %s", strings.TrimPrefix(oldestKnown, "go"), release)
	}
	return nil
}

// withoutReporting says that a program is built as if without us, and why.
func withoutReporting(release string, err error) {
	if release == "" {
		release = "this release of Go"
	}
	fmt.Fprintf(os.Stderr, "scavenger-wrap: %s is newer than this version of scavenger-wrap, which knows Go up to %s: the program is built without reporting (%v)\n",
		release, strings.TrimPrefix(newestKnown, "go"), err)
}

// tryLink links with the real registry or, should that fail, with the stub.
func (l *linking) tryLink(release string) error {
	program := l.cfg.clone()
	err := l.linkQuietly()
	if err == nil {
		return nil
	}
	stub, stubErr := compileStub(l.path, l.dir)
	if stubErr != nil {
		return stubErr
	}
	l.cfg = program
	l.cfg.add(registryPath, stub)
	cmd, linkErr := l.linkCommand()
	if linkErr != nil {
		return linkErr
	}
	if err := runProcess(cmd); err != nil {
		return err // the program itself does not link
	}
	withoutReporting(release, err)
	return nil
}

// linkQuietly links with the real registry. What the linker prints is in the
// error if it fails.
func (l *linking) linkQuietly() error {
	if err := l.addRegistry(); err != nil {
		return err
	}
	cmd, err := l.linkCommand()
	if err != nil {
		return err
	}
	var message bytes.Buffer
	cmd.Stdout, cmd.Stderr = &message, &message
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("link: %w\n%s", err, bytes.TrimSpace(message.Bytes()))
	}
	_, err = os.Stderr.Write(message.Bytes())
	return err
}
