// Names that people type who guess what a setting is called.

package config

import "strings"

// guesses are names that are too far from those that they most likely mean to be found as
// misspellings, in lower case and without separators. hitrt has the same for the settings
// of a run, and a test compares the two. What others may well call their own variables is
// not among them: SCAVENGER_VERSION, SCAVENGER_HOME.
var guesses = []struct{ name, words string }{
	{"packages", "pkg pkgs include includes includepackages"},
	{"excludePackages", "exclude excludes excludepkgs ignore ignorepackages"},
	{"enabled", "disable disabled"},
	{"apiKey", "key token apitoken license"},
	{"serverUrl", "url server host collector collectorurl collectorhost collectoraddr collectoraddress endpoint addr address serveraddr serveraddress serverhost"},
	{"grpcTls", "tls"},
	{"dataDir", "dir directory data datapath datafolder datadirectory hitsdir outputdir"},
	{"appName", "app name application applicationname servicename"},
	{"environment", "env"},
	{"exitTimeout", "timeout"},
	{"logFile", "log logpath"},
	{"debugMode", "debug"},
	{"config", "conf configfile configpath conffile settings settingsfile"},
}

// guessed returns the name that one without separators is a guess for, or "".
func guessed(word string) string {
	for _, g := range guesses {
		for w := range strings.FieldsSeq(g.words) {
			if w == word {
				return g.name
			}
		}
	}
	return ""
}

// nearestName returns the candidate that a name most likely means, or "". That of
// scavenger-wrap may stand in front: SCAVENGER_WRAP_PACKAGES.
func nearestName(name string, candidates []string) string {
	for _, word := range []string{letters(name), strings.TrimPrefix(letters(name), "wrap")} {
		guess := letters(guessed(word))
		for _, c := range candidates {
			if l := letters(c); l == word || l == guess {
				return c
			}
		}
	}
	return Nearest(name, candidates)
}

// letters returns a name in lower case and without separators.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("_-.", r) {
			return -1
		}
		return r
	}, strings.ToLower(name))
}
