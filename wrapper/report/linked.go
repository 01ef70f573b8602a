// What is in the binaries: a function that the linker dropped cannot be called at all.

package report

import (
	"cmp"
	"fmt"
	"strings"
)

// A Binary is a program as the linker left it.
type Binary struct {
	File  string // for messages
	Main  string // import path of its main package
	Names func(yield func(string) bool)

	// Tracked lists, by package, the functions that are built in as marked or not
	// observable: "main", "Cart.String", "(*Cart).Add".
	Tracked map[string][]string
}

// Look notes which functions that were never called are in none of the binaries. A binary
// must be a build that the report lists. A function about which another build in use says
// something, one without a binary, is left alone: it may be there. The notes say which
// builds those are. Builds of a program that have functions of the same names cannot be
// told apart, so there have to be as many binaries.
func (r *Report) Look(binaries []Binary) (notes []string, err error) {
	given := map[*Build]int{}      // binaries that may be of it
	alike := map[*Build][]*Build{} // builds that these may be of, itself included
	in := map[string]bool{}
	for i := range binaries {
		b := &binaries[i]
		programs := r.buildsLike(b)
		if len(programs) == 0 {
			return nil, fmt.Errorf("%s is no build that the report lists, as it has other functions: name the program that left the data", b.File)
		}
		for _, builds := range programs {
			for _, build := range builds {
				given[build]++
				alike[build] = builds
			}
		}
		for name := range b.Names {
			for _, name := range namesOf(name, b.Main) {
				in[name] = true
			}
		}
		r.Binaries = append(r.Binaries, b.File)
	}
	elsewhere := map[identity]bool{}
	for i := range r.Programs {
		p := &r.Programs[i]
		without := 0
		for k := range p.Builds {
			b := &p.Builds[k]
			same := alike[b]
			switch {
			case !b.InUse || same != nil && given[b] >= len(same):
				continue
			case same == nil:
				without++
			case same[0] == b:
				without += len(same) - given[b]
			}
			for n := range b.entries {
				elsewhere[b.entries[n].identity()] = true
			}
		}
		if without > 0 {
			notes = append(notes, fmt.Sprintf("%s: builds in use without a --binary: %d; functions that they have are not looked for",
				cmp.Or(p.File, p.Main, p.App, "a program without a name"), without))
		}
	}
	for i := range r.Functions {
		f := &r.Functions[i]
		f.LinkedOut = f.Status == NeverCalled && !elsewhere[f.identity()] && !f.isIn(in)
	}
	return notes, nil
}

// isIn reports whether the function is among those of a binary, or cannot be looked for.
// The compiler gives a function literal another name where it inlines the function around
// it, so a literal is where that function is, and one of a variable may be anywhere.
func (f *Function) isIn(names map[string]bool) bool {
	outer, isLiteral := Around(f.Name)
	if isLiteral && f.Receiver == "" && (outer == "init" || outer == "glob") {
		return true
	}
	return names[linkName(f.Package, f.Receiver, outer)]
}

// buildsLike returns, by program, the builds in use with the functions of a binary. One
// binary may run as several programs.
func (r *Report) buildsLike(binary *Binary) (programs [][]*Build) {
	tracked := map[string]bool{}
	for path, names := range binary.Tracked {
		for _, name := range names {
			tracked[path+"."+name] = true
		}
	}
	for i := range r.Programs {
		p := &r.Programs[i]
		var builds []*Build
		for k := range p.Builds {
			if b := &p.Builds[k]; b.InUse && (p.Main == "" || p.Main == binary.Main) && b.has(tracked) {
				builds = append(builds, b)
			}
		}
		if builds != nil {
			programs = append(programs, builds)
		}
	}
	return programs
}

// has reports whether a build has functions of these names, and no others.
func (b *Build) has(tracked map[string]bool) bool {
	names := map[string]bool{}
	for i := range b.entries {
		name := b.entries[i].Package + "." + FullName(b.entries[i].Receiver, b.entries[i].Name)
		if !tracked[name] {
			return false
		}
		names[name] = true
	}
	return len(names) == len(tracked)
}

// FullName returns the name of a function as a stack trace has it, without the package.
func FullName(receiver, name string) string {
	switch {
	case receiver == "":
		return name
	case strings.HasPrefix(receiver, "*"):
		return "(" + receiver + ")." + name
	}
	return receiver + "." + name
}

// linkName is a name by which functions of a report are found among those of a binary. It
// has no star: the linker may have kept the method of the pointer type alone.
func linkName(pkg, receiver, name string) string {
	if base := strings.TrimPrefix(receiver, "*"); base != "" {
		name = base + "." + name
	}
	return pkg + "." + name
}

// namesOf returns the functions of a report that a name in a binary may stand for. Of a
// function literal, and of what the compiler makes around a call, it is the function that
// they are in. A name too many hides that a function was dropped, and one too few would
// be a lie.
//
//	example.com/app/cart.(*Cart).Add
//	example.com/app/cart.Map[...]              of all instances
//	example.com/app/cart.Cart.Add-fm           a method value
//	example.com/app/cart.(*Cart).Add.func1.2   a function literal
//	main.run.deferwrap1
//	gopkg.in/yaml%2ev3.Unmarshal
func namesOf(symbol, main string) (names []string) {
	symbol = withoutTypeArguments(symbol)
	slash := strings.LastIndexByte(symbol, '/') + 1
	end := len(symbol)
	if i := strings.IndexByte(symbol[slash:], '.'); i >= 0 {
		end = slash + i
	}
	// The dots in the last element of a path may be escaped, and need not be.
	for end < len(symbol) {
		pkg, rest := unescape(symbol[:end]), symbol[end+1:]
		names = appendNames(names, pkg, rest)
		if pkg == "main" && main != "" {
			names = appendNames(names, main, rest)
		}
		next := strings.IndexByte(rest, '.')
		if next < 0 {
			break
		}
		end += 1 + next
	}
	return names
}

// appendNames appends the names for what follows a package in a symbol: a function, or a
// type with its method.
func appendNames(names []string, pkg, rest string) []string {
	rest = plainReceiver(rest)
	parts := strings.FieldsFunc(rest, func(r rune) bool { return r == '.' || r == '-' })
	if len(parts) > 0 {
		names = append(names, pkg+"."+parts[0])
	}
	if len(parts) > 1 {
		names = append(names, pkg+"."+parts[0]+"."+parts[1])
	}
	return names
}

// withoutTypeArguments drops what stands in brackets.
func withoutTypeArguments(symbol string) string {
	from, to := strings.IndexByte(symbol, '['), strings.LastIndexByte(symbol, ']')
	if from < 0 || to < from {
		return symbol
	}
	return symbol[:from] + symbol[to+1:]
}

// unescape undoes what the compiler does to the characters of an import path.
func unescape(path string) string {
	if !strings.Contains(path, "%") {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		var c byte
		if n, err := fmt.Sscanf(path[i:min(len(path), i+3)], "%%%02x", &c); n == 1 && err == nil && i+3 <= len(path) {
			b.WriteByte(c)
			i += 2
			continue
		}
		b.WriteByte(path[i])
	}
	return b.String()
}
