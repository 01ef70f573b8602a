// The names that a process has at the collector and in local files if no setting
// gives them.

package hitrt

import (
	"cmp"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// defaultAppName returns the last element of the main package's import path, without
// a major version suffix. A program built from single files has no such path, so it
// is named after its executable.
func defaultAppName(main string) string {
	name := path.Base(main)
	if isMajorVersion(name) && strings.Contains(main, "/") {
		name = path.Base(path.Dir(main))
	}
	if main == "" || main == "command-line-arguments" {
		name = "unspecified"
		if len(os.Args) > 0 && os.Args[0] != "" {
			name = strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
		}
	}
	return name
}

// isMajorVersion reports whether a path element is v2, v3, and so on.
func isMajorVersion(elem string) bool {
	digits, ok := strings.CutPrefix(elem, "v")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// applyDefaults fills in what no setting gives, and clamps it to the collector's
// columns: the collector answers OK to a publication with one value that is too long,
// and stores nothing of it. It is called in the publisher's goroutine, since some
// defaults take time to find out.
func (s *settings) applyDefaults() {
	if s.hostname == "" {
		s.hostname, _ = os.Hostname()
	}
	for value, rule := range map[*string]struct {
		max int
		def string
	}{
		&s.appName: {255, "unspecified"}, &s.appVersion: {80, "unspecified"},
		&s.environment: {255, "<default>"}, &s.hostname: {255, "-unknown-"},
	} {
		*value = cmp.Or(strings.TrimSpace(clamp(*value, rule.max)), rule.def)
	}
}
