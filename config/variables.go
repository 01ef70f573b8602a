// Names that look like settings, in the environment and in SCAVENGER_OPTIONS.

package config

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// An Assignment gives a setting a value, in an environment or in SCAVENGER_OPTIONS.
type Assignment struct {
	Name, Value string
	Key         *Key   // nil if no key has that name
	Nearest     string // the name of which Name may be a misspelling, if Key is nil
	Wrong       error  // why a running program would not take the value; nil for keys of the build
	nearestKey  *Key   // the key that is called Nearest
}

// Options returns the assignments in a value of SCAVENGER_OPTIONS, which has the form
// "key=value;key=value".
func Options(text string) []Assignment {
	var all []Assignment
	for option := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(option, "=")
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		v := Assignment{Name: name, Value: strings.TrimSpace(value), Key: LookUp(name)}
		known, _ := lookUp(name)
		v.check(known)
		if v.Key == nil && !isReferred(text, name) {
			v.Nearest = nearestName(camelCase(name), allNames())
			v.nearestKey = LookUp(v.Nearest)
		}
		all = append(all, v)
	}
	return all
}

// isReferred reports whether options refer to a name, $name or ${name}, for which it is there.
func isReferred(text, name string) bool {
	return strings.Contains(text, "$"+name) || strings.Contains(text, "${"+name+"}")
}

// variablePrefix begins the names of all variables of ours.
const variablePrefix = "SCAVENGER_"

// Those of our variables that are no keys: what builds read, what programs read, and what
// scavenger-wrap sets itself.
var (
	buildVariables = []string{"SCAVENGER_WRAP_LOG", "SCAVENGER_WRAP_LOG_LEVEL", "SCAVENGER_PLAIN_CACHE", fileVariable}
	otherVariables = append([]string{"SCAVENGER_OPTIONS", "SCAVENGER_WRAP_STARTED"}, buildVariables...)
)

// Variables returns the variables in environ, a list as [os.Environ] returns it, that
// look like settings. They are sorted by name.
func Variables(environ []string) []Assignment {
	known := map[string]spelling{}
	var candidates []string // without the prefix, which would make all of them alike
	for _, name := range append([]string{"SCAVENGER_OPTIONS"}, buildVariables...) {
		candidates = append(candidates, strings.TrimPrefix(name, variablePrefix))
	}
	for i := range Keys {
		for _, n := range append(Keys[i].names(), Keys[i].Seconds) {
			if n != "" {
				known[Variable(n)] = spelling{&Keys[i], n == Keys[i].Seconds}
				candidates = append(candidates, strings.TrimPrefix(Variable(n), variablePrefix))
			}
		}
	}
	var all []Assignment
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		rest, likeOurs := cutPrefix(name)
		canonical := name
		if runtime.GOOS == "windows" { // where upper and lower case are the same
			canonical = strings.ToUpper(name)
		}
		if !likeOurs || slices.Contains(otherVariables, canonical) {
			continue
		}
		v := Assignment{Name: name, Value: value, Key: known[canonical].key}
		v.check(known[canonical])
		if v.Key == nil && !isService(name, value) {
			if n := nearestName(rest, candidates); n != "" {
				v.Nearest = variablePrefix + n
				v.nearestKey = known[v.Nearest].key
			}
		}
		if strings.HasPrefix(name, variablePrefix) || v.Key != nil || v.Nearest != "" {
			all = append(all, v)
		}
	}
	slices.SortFunc(all, func(a, b Assignment) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// check notes whether a running program would take the value. A blank one is the default.
func (v *Assignment) check(name spelling) {
	if v.Key != nil && !v.Key.Build && strings.TrimSpace(v.Value) != "" {
		_, v.Wrong = newSetting(name, v.Value)
	}
}

// cutPrefix returns what follows the prefix in the name of a variable, and whether there is
// one, in whichever case, with whichever separator.
func cutPrefix(name string) (rest string, ok bool) {
	n := len(variablePrefix)
	if len(name) <= n || !strings.EqualFold(name[:n-1], variablePrefix[:n-1]) || !strings.Contains("_-.", name[n-1:n]) {
		return "", false
	}
	return name[n:], true
}

// isService reports whether Kubernetes made a variable of the port of a service, which may
// be called scavenger-server, or docker of the name of a linked container.
func isService(name, value string) bool {
	return strings.HasSuffix(name, "_PORT") && strings.Contains(value, "://") || strings.HasSuffix(name, "_NAME") && strings.HasPrefix(value, "/")
}

// Misspelled returns a line for each variable in environ that is most likely meant to be
// one that acts at build time. The running program says the same of its own.
func Misspelled(environ []string) []string {
	var lines []string
	for _, v := range Variables(environ) {
		if v.nearestKey != nil && v.nearestKey.Build || slices.Contains(buildVariables, v.Nearest) {
			lines = append(lines, fmt.Sprintf("%s is no setting; did you mean %s?", v.Name, v.Nearest))
		}
	}
	return lines
}
