// What a binary says of itself: `scavenger-wrap doctor BINARY`.
//
// The settings and the lists of functions are strings in the program's data. Each begins
// with words by which it is found, also in a stripped binary of any platform.

package registry

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
)

// builtByKey is the key of scavenger-wrap's version in the settings that are built in. It
// sorts before all others, so the settings begin with it.
const builtByKey = "#scavenger-wrap"

// An Inspected is what is known of a binary.
type Inspected struct {
	Main      string // import path of the main package
	GoVersion string
	BuiltBy   string            // version of scavenger-wrap; "" for a plain program
	Settings  map[string]string // baked in
	Packages  []InspectedPackage
}

// Inspect returns what is known of the binary in a file.
func Inspect(file string) (*Inspected, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	info, err := buildinfo.Read(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s is no Go program: %w", file, err)
	}
	b := &Inspected{Main: info.Path, GoVersion: info.GoVersion}
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
