// Keeping: functions that are right to be called seldom or never, for a reason that
// somebody wrote down, in a file of patterns or in the source.

package report

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A Keep says why a function stays, whether it is called or not.
type Keep struct {
	Reason  string `json:"reason"`
	Until   string `json:"until,omitempty"`   // the last day, 2027-02-01; "" is for ever
	From    string `json:"from"`              // file:line, in a list or of the first function
	Expired bool   `json:"expired,omitempty"` // Until is over, so it does not count
}

// A KeepRule is one line of a list, or one //scavenger:keep directive, as it was found.
type KeepRule struct {
	From      string `json:"from"`
	Pattern   string `json:"pattern,omitempty"` // "" of a directive
	Reason    string `json:"reason,omitempty"`
	Until     string `json:"until,omitempty"`
	Functions int    `json:"functions"` // that it is about; 0 says that the line is of no use
	Expired   bool   `json:"expired,omitempty"`
	Error     string `json:"error,omitempty"` // why a directive does not count

	pattern *keepPattern
}

// Kept reports whether somebody said that the function stays.
func (f *Function) Kept() bool { return f.Keep != nil && !f.Keep.Expired }

// Deletable reports whether the function was never called, and nobody said that it stays.
func (f *Function) Deletable() bool { return f.Status == NeverCalled && !f.Kept() }

// ReadKeep reads a list of what to keep. name is that of the file, for messages. Each line
// has a pattern, a reason in quotes and, if it is not for ever, the last day:
//
//	# comment
//	example.com/shop/year.Close  "runs on 31 December"  until 2027-02-01
//
// The error names every line that is wrong, and says what to type.
func ReadKeep(name string, r io.Reader) ([]KeepRule, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var rules []KeepRule
	var problems []error
	n := 0
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\uFEFF")) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		from := name + ":" + strconv.Itoa(n)
		rule, err := parseKeepLine(line)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", from, err))
			continue
		}
		rule.From = from
		rules = append(rules, rule)
	}
	return rules, errors.Join(problems...)
}

// parseKeepLine parses a line of a list that is not empty.
func parseKeepLine(line string) (rule KeepRule, err error) {
	pattern, rest, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
	if rule.pattern, err = newKeepPattern(pattern); err != nil {
		return rule, err
	}
	rule.Pattern = pattern
	quoted, err := strconv.QuotedPrefix(strings.TrimSpace(rest))
	if err != nil || quoted[0] == '\'' {
		return rule, fmt.Errorf("no reason in quotes behind the pattern: write %s \"why it stays\"", pattern)
	}
	rest = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(rest), quoted))
	if rule.Reason, err = strconv.Unquote(quoted); err != nil || strings.TrimSpace(rule.Reason) == "" {
		return rule, fmt.Errorf("the reason is empty: write %s \"why it stays\"", pattern)
	}
	rest, _, _ = strings.Cut(rest, "#")
	words := strings.Fields(rest)
	switch {
	case len(words) == 0:
		return rule, nil
	case len(words) == 2 && words[0] == "until":
		rule.Until, err = parseDay(words[1])
		return rule, err
	}
	return rule, fmt.Errorf("%q behind the reason: write until 2027-02-01, or nothing", strings.TrimSpace(rest))
}

// parseDirective parses a //scavenger:keep comment without its first word.
func parseDirective(text string) (rule KeepRule, err error) {
	words := strings.Fields(text)
	if len(words) > 0 {
		if day, ok := strings.CutPrefix(words[0], "until="); ok {
			if rule.Until, err = parseDay(day); err != nil {
				return rule, err
			}
			words = words[1:]
		}
	}
	if len(words) == 0 {
		return rule, errors.New("no reason: write //scavenger:keep why it stays, or //scavenger:keep until=2027-02-01 why it stays")
	}
	rule.Reason = strings.Join(words, " ")
	return rule, nil
}

func parseDay(s string) (string, error) {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", fmt.Errorf("%q is no day: write it as 2027-02-01", s)
	}
	return s, nil
}

// CheckDirective returns what is wrong with a //scavenger:keep comment, given as the entry
// of a function has it.
func CheckDirective(directive string) error {
	_, err := parseDirective(strings.TrimPrefix(directive, "keep"))
	return err
}

// Keep notes which functions rules are about at a time. The first rule that has not expired counts,
// directives before lists.
func (r *Report) Keep(rules []KeepRule, now time.Time) {
	first := len(r.KeepRules)
	r.KeepRules = append(r.KeepRules, rules...)
	rules = r.KeepRules[first:]
	for i := range rules {
		rules[i].Expired = expired(rules[i].Until, now)
	}
	if len(rules) == 0 {
		return
	}
	for k := range r.Functions {
		f := &r.Functions[k]
		name := keepNameOf(f)
		for i := range rules {
			if rules[i].pattern.matches(&name) {
				rules[i].Functions++
				f.keep(&rules[i])
			}
		}
	}
}

// keep notes that a rule is about the function.
func (f *Function) keep(rule *KeepRule) {
	if f.Keep == nil || f.Keep.Expired && !rule.Expired {
		f.Keep = &Keep{Reason: rule.Reason, Until: rule.Until, From: rule.From, Expired: rule.Expired}
	}
}

// keepDirectives notes which functions directives in the source are about. Those of one
// file that say the same count as one rule, as the functions of a type have its directive.
func (r *Report) keepDirectives(now time.Time) {
	type key struct{ file, text string }
	found := map[key]int{}
	for i := range r.Functions {
		f := &r.Functions[i]
		if f.directive == "" {
			continue
		}
		k := key{f.File, f.directive}
		n, ok := found[k]
		if !ok {
			rule, err := parseDirective(strings.TrimPrefix(f.directive, "keep"))
			rule.From = f.File + ":" + strconv.Itoa(f.Line)
			if err != nil {
				rule.Error = err.Error()
			}
			rule.Expired = err == nil && expired(rule.Until, now)
			n = len(r.KeepRules)
			found[k] = n
			r.KeepRules = append(r.KeepRules, rule)
		}
		rule := &r.KeepRules[n]
		rule.Functions++
		if rule.Error == "" {
			f.keep(rule)
		}
	}
}

// expired reports whether a day is over, by UTC. The functions are kept on that day, too.
func expired(until string, now time.Time) bool {
	return until != "" && until < now.UTC().Format(time.DateOnly)
}

// KeepNotes returns what people have to know of the rules: those that have expired, that
// are about nothing, or that make no sense.
func (r *Report) KeepNotes() []string {
	var notes []string
	advice := ": remove the line, or correct it"
	if filter := r.Filter.String(); filter != "" {
		advice = ", which is about " + filter + " alone"
	}
	for i := range r.KeepRules {
		rule := &r.KeepRules[i]
		what := cmp.Or(rule.Pattern, "//scavenger:keep")
		switch {
		case rule.Error != "":
			notes = append(notes, fmt.Sprintf("%s: %s does not count: %s (%s)", rule.From, what, rule.Error, rule.functions()))
		case rule.Functions == 0:
			notes = append(notes, fmt.Sprintf("%s: %s matches no function of the report%s", rule.From, what, advice))
		case rule.Expired:
			notes = append(notes, fmt.Sprintf("%s: %s expired after %s, so it keeps no more: %q (%s)", rule.From, what, rule.Until, rule.Reason, rule.functions()))
		}
	}
	return notes
}

func (r *KeepRule) functions() string {
	if r.Functions == 1 {
		return "1 function"
	}
	return fmt.Sprintf("%d functions", r.Functions)
}

// ExpiredKeeps returns how many functions that were never called are kept no more.
func (r *Report) ExpiredKeeps() int {
	n := 0
	for i := range r.Functions {
		if f := &r.Functions[i]; f.Status == NeverCalled && f.Keep != nil && f.Keep.Expired {
			n++
		}
	}
	return n
}

// A keepPattern matches functions by package, type and name.
type keepPattern struct {
	literals []string // parts of the pattern, which a name must contain: most have none of them
	whole    *regexp.Regexp
	below    *regexp.Regexp // matches import paths of packages, those below included
}

// plainReceiver takes what stack traces and reports put around a receiver off a name:
// (*Cart).Add becomes Cart.Add.
func plainReceiver(name string) string {
	return strings.NewReplacer("(*", "", "(", "", ")", "").Replace(name)
}

// newKeepPattern returns the pattern for a package and those below it, as in settings, or
// for package.Func, package.Type, which means all its methods, or package.Type.Method. A *
// stands for any text without a slash, and ... for any text.
func newKeepPattern(s string) (*keepPattern, error) {
	name := plainReceiver(s)
	switch {
	case strings.HasPrefix(s, "./") || strings.HasPrefix(s, "../") || s == "." || s == "..":
		return nil, fmt.Errorf("%q: relative names mean different packages in different directories: write the import path, such as example.com/shop/cart.Cart", s)
	case strings.ContainsAny(name, "\"'`\\,;[]{}"):
		return nil, fmt.Errorf("%q is no pattern: write example.com/shop, example.com/shop/cart.Open, example.com/shop/cart.Cart.Add or example.com/shop/*.Close", s)
	}
	var expr strings.Builder
	p := &keepPattern{}
	for rest := strings.TrimSuffix(name, "/..."); rest != ""; {
		i := strings.Index(rest, "...")
		k := strings.IndexByte(rest, '*')
		switch {
		case i < 0 && k < 0:
			p.literals = append(p.literals, rest)
			expr.WriteString(regexp.QuoteMeta(rest))
			rest = ""
		case k < 0 || i >= 0 && i < k:
			p.literals = append(p.literals, rest[:i])
			expr.WriteString(regexp.QuoteMeta(rest[:i]) + ".*")
			rest = rest[i+3:]
		default:
			p.literals = append(p.literals, rest[:k])
			expr.WriteString(regexp.QuoteMeta(rest[:k]) + "[^/]*")
			rest = rest[k+1:]
		}
	}
	var err error
	if p.whole, err = regexp.Compile("^(?:" + expr.String() + ")$"); err != nil {
		return nil, err
	}
	p.below, err = regexp.Compile("^(?:" + expr.String() + ")(?:/.*)?$")
	return p, err
}

// A keepName is a function as patterns name it: with example.com/shop,
// example.com/shop.Cart and example.com/shop.Cart.Add.
type keepName struct{ pkg, typ, full string }

// keepNameOf returns the name of a function. Function literals belong to the function that
// they stand in.
func keepNameOf(f *Function) keepName {
	name, _ := Around(f.Name)
	n := keepName{pkg: f.Package, full: f.Package + "." + name}
	if base := strings.TrimPrefix(f.Receiver, "*"); base != "" {
		n.typ = f.Package + "." + base
		n.full = n.typ + "." + name
	}
	return n
}

// matches reports whether the pattern is about a function.
func (p *keepPattern) matches(n *keepName) bool {
	for _, part := range p.literals {
		if !strings.Contains(n.full, part) {
			return false
		}
	}
	return p.whole.MatchString(n.full) || n.typ != "" && p.whole.MatchString(n.typ) || p.below.MatchString(n.pkg)
}
