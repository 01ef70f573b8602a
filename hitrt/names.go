package hitrt

// What a process calls itself at the collector and in local files, where no
// setting says it.

import (
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"strings"
)

// defaultAppName is the last element of the main package's import path, without
// a major version suffix. A program built from single files has no such path
// and is called after its executable.
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

// identify completes the values that cost something to find out, so it is
// called in the publisher's goroutine, and clamps them to the collector's
// columns: one value that is too long and nothing of a publication is stored,
// although the collector says OK.
func (s *settings) identify() {
	if s.appVersion == "" {
		s.appVersion = buildVersion()
	}
	if s.hostname == "" {
		s.hostname, _ = os.Hostname()
	}
	for value, rule := range map[*string]struct {
		most     int
		standard string
	}{
		&s.appName: {255, "unspecified"}, &s.appVersion: {80, "unspecified"},
		&s.environment: {255, "<default>"}, &s.hostname: {255, "-unknown-"},
	} {
		*value = orElse(strings.TrimSpace(clamp(*value, rule.most)), rule.standard)
	}
}

func orElse(v, standard string) string {
	if v == "" {
		return standard
	}
	return v
}

// buildVersion is the version of the main module, or else the revision that it
// was built from.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	revision := buildSetting("vcs.revision")
	return revision[:min(12, len(revision))]
}

// mainModule is the path of the module that the main package is in, "" if unknown.
func mainModule() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Path
	}
	return ""
}

// buildSetting is a setting that the program was built with, "" if unknown.
func buildSetting(key string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, set := range info.Settings {
			if set.Key == key {
				return set.Value
			}
		}
	}
	return ""
}
