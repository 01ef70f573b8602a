// What the real API makes of the tables: the list of functions and the tree.

package collector

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Query selects what a snapshot is made of.
type Query struct {
	APIKey      string // default: the first of the collector's
	Application string // default: all
	Environment string // default: all
	SinceMillis int64  // invocations before this time don't count
}

// A Function is a method with its invocations in the selected applications
// and environments.
type Function struct {
	Signature       string
	DeclaringType   string
	MethodName      string
	Visibility      string
	Modifiers       string
	Hash            string
	InvokedAtMillis int64
	Used            bool
}

// Functions returns what a snapshot is made from, one for each hash, sorted by
// signature and hash. Invocations of unknown hashes, garbage and abstract
// methods are not among them.
func (c *Collector) Functions(q Query) []Function {
	c.mu.Lock()
	defer c.mu.Unlock()
	if q.APIKey == "" {
		q.APIKey = c.options.APIKeys[0]
	}
	applications, environments := make(map[int]bool), make(map[int]bool)
	for key, app := range c.tables.applications {
		applications[app.ID] = q.Application == "" || key.name == q.Application
	}
	for key, env := range c.tables.environments {
		environments[env.ID] = q.Environment == "" || key.name == q.Environment
	}
	found := make(map[string]*Function)
	for key, row := range c.tables.invocations {
		if key.workspace != q.APIKey || !applications[key.application] || !environments[key.environment] {
			continue
		}
		m := c.tables.methods[pair{key.workspace, key.hash}]
		if m == nil || m.Garbage || m.hidden() {
			continue
		}
		f := found[key.hash]
		if f == nil {
			f = &Function{
				Signature: m.Signature, DeclaringType: m.DeclaringType, MethodName: m.MethodName,
				Visibility: m.Visibility, Modifiers: m.Modifiers, Hash: m.Hash,
			}
			found[key.hash] = f
		}
		f.InvokedAtMillis = max(f.InvokedAtMillis, row.InvokedAtMillis)
		f.Used = f.InvokedAtMillis > 0 && f.InvokedAtMillis >= q.SinceMillis
	}
	list := make([]Function, 0, len(found))
	for _, f := range found {
		list = append(list, *f)
	}
	slices.SortFunc(list, func(a, b Function) int {
		return cmp.Or(cmp.Compare(a.Signature, b.Signature), cmp.Compare(a.Hash, b.Hash))
	})
	return list
}

// hidden reports whether snapshots leave a method out for its modifiers.
func (m *Method) hidden() bool { return hiddenModifiers(m.Modifiers) }

func hiddenModifiers(modifiers string) bool {
	return modifiers == "public abstract" || modifiers == "public abstract transient"
}

// The values of Node.Type.
const (
	PackageNode = "PACKAGE"
	ClassNode   = "CLASS"
	MethodNode  = "METHOD"
	rootNode    = "ROOT"
)

// A Node is a stored node of the tree.
type Node struct {
	Signature           string
	Parent              string // signature of the parent; empty at the top
	Type                string
	Used, Unused        int
	LastInvokedAtMillis int64
}

// Snapshot builds the tree of the selected functions, sorted by signature.
func (c *Collector) Snapshot(q Query) ([]Node, error) {
	return Tree(c.Functions(q), q.SinceMillis)
}

// Tree builds the tree of functions, sorted by signature. As in the real API, one
// signature that cannot be split fails the whole of it. Where signatures
// disagree on the type of a node, the first one decides; here that is the
// first in order, in the real API whichever the database returns first.
func Tree(functions []Function, sinceMillis int64) ([]Node, error) {
	type row struct {
		methodName string
		invoked    int64
	}
	bySignature := make(map[string]row) // equal signatures are one method
	for _, f := range functions {
		old := bySignature[f.Signature]
		bySignature[f.Signature] = row{max(old.methodName, f.MethodName), max(old.invoked, f.InvokedAtMillis)}
	}
	root := newTreeNode("", rootNode)
	for _, signature := range slices.Sorted(maps.Keys(bySignature)) {
		r := bySignature[signature]
		pieces, err := splitSignature(signature, r.methodName)
		if err != nil {
			return nil, fmt.Errorf("signature %q: %w", signature, err)
		}
		root.add(pieces, r.invoked > 0 && r.invoked >= sinceMillis, r.invoked)
	}
	nodes, err := root.store(nil, root, nil)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(nodes, func(a, b Node) int { return cmp.Compare(a.Signature, b.Signature) })
	return nodes, nil
}

// A piece is one step from the root of the tree to a method.
type piece struct {
	text string
	kind string
}

// splitSignature splits a signature as the real API on JDK 21 does: before
// each dot or dollar that follows a word character, and only ASCII letters,
// digits and the underscore are that. Then all dots are dropped.
func splitSignature(signature, methodName string) ([]piece, error) {
	name, arguments, ok := strings.Cut(signature, "(")
	if !ok {
		return nil, errors.New("no parenthesis")
	}
	if arguments == "" {
		return nil, errors.New("nothing after the parenthesis")
	}
	var texts []string
	start := 0
	for i := 1; i <= len(name); i++ {
		if i == len(name) || (name[i] == '.' || name[i] == '$') && isWord(name[i-1]) {
			texts = append(texts, strings.ReplaceAll(name[start:i], ".", ""))
			start = i
		}
	}
	if len(texts) == 0 {
		return nil, errors.New("no name before the parenthesis")
	}
	if methodName == "<init>" {
		texts = append(texts, strings.ReplaceAll(texts[len(texts)-1], "$", ""))
	}
	last := &texts[len(texts)-1]
	*last += "(" + arguments
	if !strings.HasSuffix(arguments, ")") {
		*last += ")"
	}
	pieces := make([]piece, len(texts))
	for i, text := range texts {
		kind := PackageNode
		if strings.Contains(text, "(") {
			kind = MethodNode
		} else if strings.Contains(text, "$") || strings.ContainsAny(texts[i+1], "($") {
			kind = ClassNode
		}
		pieces[i] = piece{text, kind}
	}
	return pieces, nil
}

func isWord(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z'
}

// A treeNode is a node while the tree is built.
type treeNode struct {
	Node
	children map[string]*treeNode
}

func newTreeNode(signature, kind string) *treeNode {
	return &treeNode{Node: Node{Signature: signature, Type: kind}, children: make(map[string]*treeNode)}
}

// add counts a method at every node on its way.
func (n *treeNode) add(pieces []piece, used bool, invoked int64) {
	if used {
		n.Used++
		n.LastInvokedAtMillis = max(n.LastInvokedAtMillis, invoked)
	} else {
		n.Unused++
	}
	if len(pieces) == 0 {
		return
	}
	text := pieces[0].text
	child := n.children[text]
	if child == nil {
		full := text
		if strings.TrimSpace(n.Signature) != "" {
			delimiter := "."
			if strings.Contains(text, "$") { // also in a parameter, which glues
				delimiter = ""
			}
			full = n.Signature + delimiter + text
		}
		child = newTreeNode(full, pieces[0].kind)
		n.children[text] = child
	}
	child.add(pieces[1:], used, invoked)
}

// store appends the nodes that the database gets. A node whose only child is
// a package is left out in favour of that child.
func (n *treeNode) store(list []Node, parent *treeNode, err error) ([]Node, error) {
	if err != nil {
		return nil, err
	}
	if n.Type != rootNode && len(n.children) == 1 {
		for _, child := range n.children {
			if child.Type == PackageNode {
				return child.store(list, parent, nil)
			}
		}
	}
	for _, child := range n.children {
		list, err = child.store(list, n, err)
	}
	if n.Type == rootNode || err != nil {
		return list, err
	}
	n.Parent = parent.Signature
	if err := columnNodeParent.check(n.Parent); err != nil {
		return nil, err
	}
	return append(list, n.Node), nil
}
