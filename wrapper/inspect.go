// What a binary says of itself: `scavenger-wrap doctor BINARY`.
//
// The settings and the lists of functions are strings in the program's data, and
// each begins with words by which it is found, in a stripped binary of any
// platform too.

package wrapper

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// builtByKey is the key in the baked-in settings under which the version of
// scavenger-wrap stands. It sorts before all others.
const builtByKey = "#scavenger-wrap"

// entriesMagic begins the line ahead of a package's entries. hitrt passes over
// it, as it is no entry.
const entriesMagic = "#scavenger-wrap entries "

// entriesHeader says how many bytes of entries follow, and of which package.
func entriesHeader(m *metadata) string {
	return fmt.Sprintf("%s%d %s\n", entriesMagic, len(entries(m.Functions)), m.ImportPath)
}

// An inspected is what is known of a binary.
type inspected struct {
	Main      string // import path of the main package
	GoVersion string
	BuiltBy   string            // version of scavenger-wrap; "" for a plain program
	Settings  map[string]string // baked in
	Packages  []inspectedPackage
}

// An inspectedPackage is a package whose functions a binary tracks.
type inspectedPackage struct {
	Path      string
	Functions []string // "(*Cart).Add", and the reason for those that are not observable
	Unseen    int      // of them, not observable
}

func inspect(file string) (*inspected, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	info, err := buildinfo.Read(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s is no Go program: %w", file, err)
	}
	b := &inspected{Main: info.Path, GoVersion: info.GoVersion}
	for rest := data; b.BuiltBy == ""; {
		i := bytes.Index(rest, []byte(`{"`+builtByKey+`":"`))
		if i < 0 {
			return b, nil
		}
		var settings map[string]string
		if json.NewDecoder(bytes.NewReader(rest[i:])).Decode(&settings) == nil {
			b.BuiltBy = settings[builtByKey]
			delete(settings, builtByKey)
			b.Settings = settings
		}
		rest = rest[i+1:]
	}
	for rest := data; ; {
		i := bytes.Index(rest, []byte(entriesMagic))
		if i < 0 {
			return b, nil
		}
		rest = rest[i+len(entriesMagic):]
		if p, ok := readEntries(rest); ok {
			b.Packages = append(b.Packages, p)
		}
	}
}

// readEntries reads what stands behind entriesMagic; see entries for the form.
func readEntries(data []byte) (p inspectedPackage, ok bool) {
	head, rest, ok := bytes.Cut(data[:min(len(data), 4096)], []byte("\n"))
	length, path, ok2 := strings.Cut(string(head), " ")
	n, err := strconv.Atoi(length)
	if !ok || !ok2 || err != nil || n < 0 || n > len(data)-len(head)-1 || len(rest) == 0 && n > 0 {
		return p, false
	}
	p.Path = path
	for line := range strings.Lines(string(data[len(head)+1:][:n])) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 6 {
			return p, false
		}
		name := f[4]
		switch receiver := f[3]; {
		case strings.HasPrefix(receiver, "*"):
			name = "(" + receiver + ")." + name
		case receiver != "":
			name = receiver + "." + name
		}
		if reason, ok := strings.CutPrefix(f[0], "-"); ok {
			p.Unseen++
			name += "  (not observable: " + reason + ")"
		}
		p.Functions = append(p.Functions, name)
	}
	return p, true
}
