// What the real web page makes of the API's tree: labels, rows, links.

package collector

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
)

// A PageNode is a node as the web page shows it.
type PageNode struct {
	Node
	Label string // in the tree, which leaves methods out
	Short string // in the map
	Row   string // in the table; empty at the top, which has none
}

// Page returns the nodes of a tree that somebody sees who opens all of them, each followed
// by what is below it, in the page's order. The error is one that stops the page's script.
func Page(nodes []Node) ([]PageNode, error) {
	children := make(map[string][]Node)
	for _, n := range nodes {
		children[n.Parent] = append(children[n.Parent], n)
	}
	return open(nil, "", children)
}

func open(list []PageNode, parent string, children map[string][]Node) ([]PageNode, error) {
	prefix, err := rowPrefix(parent)
	if err != nil {
		return nil, err
	}
	var level []PageNode
	for _, n := range children[parent] {
		label, delimiter := nodeLabel(parent, n.Signature)
		p := PageNode{Node: n, Label: label, Short: shortLabel(label)}
		if parent != "" {
			p.Row = prefix + delimiter + p.Short
		}
		level = append(level, p)
	}
	slices.SortStableFunc(level, func(a, b PageNode) int {
		return cmp.Or(cmp.Compare(typeOrder(a.Type), typeOrder(b.Type)), slices.Compare(units(a.Label), units(b.Label)))
	})
	for _, p := range level {
		list = append(list, p)
		// What the page puts into its request must arrive as it is.
		if p.Type == MethodNode || strings.ContainsAny(p.Signature, forbidden) {
			continue
		}
		if list, err = open(list, p.Signature, children); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// units are what JavaScript compares.
func units(s string) []uint16 { return utf16.Encode([]rune(s)) }

func typeOrder(kind string) int {
	return slices.Index([]string{PackageNode, ClassNode, MethodNode}, kind)
}

// nodeLabel returns a node's signature without its parent's and the character behind that.
// JavaScript's replace takes the first place where it finds a text.
func nodeLabel(parent, signature string) (label, delimiter string) {
	if parent == "" {
		return signature, ""
	}
	for _, r := range strings.Replace(signature, parent, "", 1) {
		delimiter = string(r)
		break
	}
	return strings.Replace(signature, parent+delimiter, "", 1), delimiter
}

// shortLabel returns a method's label with the last part of each parameter. It ends at a
// second parenthesis.
func shortLabel(label string) string {
	parts := strings.Split(label, "(")
	if len(parts) < 2 || parts[1] == "" {
		return label
	}
	arguments, _, _ := strings.Cut(parts[1], ")")
	types := strings.Split(arguments, ",")
	for i, typ := range types {
		types[i] = typ[strings.LastIndexAny(typ, ".$")+1:]
	}
	return parts[0] + "(" + strings.Join(types, ", ") + ")"
}

// rowPrefix shortens each segment of a signature to its first letter, but for those that
// begin with an upper-case letter or none at all.
func rowPrefix(signature string) (string, error) {
	if signature == "" {
		return "", nil
	}
	segments := strings.Split(signature, ".")
	for i, segment := range segments {
		if segment == "" {
			return "", fmt.Errorf("the page's script stops at an empty segment of %q", signature)
		}
		if first := string([]rune(segment)[0]); strings.ToUpper(first) != first {
			segments[i] = first
		}
	}
	return strings.Join(segments, "."), nil
}

// A Mapping is a row of github_mappings, which somebody typed into the page.
type Mapping struct {
	BasePackage string
	URL         string
}

// GitHubLink returns where the page's link to GitHub goes for a node; empty if it has none.
func GitHubLink(n Node, mappings []Mapping) string {
	path := filePath(n.Signature)
	mappings = slices.Clone(mappings)
	slices.SortStableFunc(mappings, func(a, b Mapping) int { return slices.Compare(units(b.BasePackage), units(a.BasePackage)) })
	for _, m := range mappings {
		rest, ok := strings.CutPrefix(path, m.BasePackage)
		if !ok {
			continue
		}
		rest, _, _ = strings.Cut(strings.ReplaceAll(rest, ".", "/"), "$")
		if n.Type != PackageNode {
			rest += ".java"
		}
		return m.URL + rest
	}
	return ""
}

// filePath returns what the page takes for the class of a file: no method, and nothing
// behind the segment with the first upper-case letter.
func filePath(signature string) string {
	if strings.HasSuffix(signature, ")") {
		name, _, _ := strings.Cut(signature, "(")
		signature = signature[:max(0, strings.LastIndex(name, "."))]
	}
	upper := strings.IndexFunc(signature, func(r rune) bool { return unicode.ToUpper(r) == r && unicode.ToLower(r) != r })
	if upper < 0 {
		return signature
	}
	if dot := strings.Index(signature[upper:], "."); dot >= 0 && upper+dot > 0 {
		return signature[:upper+dot]
	}
	return signature
}

// An Agent is a process as the page's dashboard lists it.
type Agent struct {
	UUID                     string
	Hostname                 string
	AppVersion               string
	LastPolledAtMillis       int64
	NextPollExpectedAtMillis int64
}

// Agents returns the processes of a workspace that the page lists: those that have polled
// and published.
func (c *Collector) Agents(apiKey string) []Agent {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []Agent
	for key, state := range c.tables.states {
		if jvm := c.tables.jvms[key]; jvm != nil && key.workspace == apiKey {
			list = append(list, Agent{key.name, jvm.Hostname, jvm.AppVersion, state.LastPolledAtMillis, state.NextPollExpectedAtMillis})
		}
	}
	slices.SortFunc(list, func(a, b Agent) int { return cmp.Compare(a.UUID, b.UUID) })
	return list
}

// A nodeUse is what a node of the page stands for.
type nodeUse struct {
	kind string
	hash string // of a method
}

// checkNodes notes if a function would share a node of the page with another one, or its
// class with a package: one that is called hides one that is dead. Signatures that cannot
// be split have been noted.
func (c *Collector) checkNodes(request int, workspace string, e *Entry) {
	pieces, err := splitSignature(e.Signature, "")
	if err != nil {
		return
	}
	path := ""
	for i, p := range pieces {
		if i > 0 {
			path += "."
		}
		path += p.text
		use := nodeUse{kind: p.kind}
		if p.kind == MethodNode {
			use.hash = e.Hash
		}
		key := pair{workspace, path}
		switch before, ok := c.rules.nodes[key]; {
		case !ok:
			c.rules.nodes[key] = use
		case before.kind != use.kind:
			c.violate(request, "node", "%q is a %s and a %s in the page", path, before.kind, use.kind)
		case before.hash != use.hash:
			c.violate(request, "node", "two functions are %q in the page", path)
		}
	}
}

// checkLabel returns an error if the page shows a method otherwise than its name and
// parameters are written, or none of the parameters.
func checkLabel(signature string) error {
	name, arguments, _ := strings.Cut(signature, "(")
	label := name[strings.LastIndex(name, ".")+1:] + "(" + arguments
	want := strings.ReplaceAll(label, ",", ", ")
	if got := shortLabel(label); got != want {
		return fmt.Errorf("the page shows %q", got)
	}
	return nil
}
