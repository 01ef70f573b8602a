// What the compile action tells the link action about a package.

package wrapper

import (
	"encoding/json"
	"fmt"

	"github.com/naver/scavenger/scavenger-wrap/rewrite"
)

// metadata is the content of the archive member, as JSON. It needs no version:
// another form of it is another tool ID, and link sees only archives of its own.
type metadata struct {
	ImportPath string // without " [x.test]"
	Symbol     string `json:",omitempty"` // linker symbol of the mark array, escaped; "" if nothing is marked
	Marks      int    `json:",omitempty"` // its length
	Functions  []rewrite.Function

	// NotMarked is why a package that matches has no marks, "" if it has them. It
	// holds no directory of the machine.
	NotMarked string `json:",omitempty"`

	// Main is set in the archive of a program that imports the registry.
	Main *mainMetadata `json:",omitempty"`
}

// mainMetadata is what link needs to put the registry and hitrt in.
type mainMetadata struct {
	Fingerprint []byte   // of the stub that main was compiled against
	Flags       []string // code generation flags that main was compiled with
	CoverMode   string   `json:",omitempty"` // -covermode, "" if main is not covered
}

func (m *metadata) attach(archive string) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := appendMetadata(archive, data); err != nil {
		return fmt.Errorf("adding metadata to the archive: %w", err)
	}
	return nil
}

// unmark makes all functions not observable, for a package that was compiled as
// it came.
func (m *metadata) unmark(reason string) {
	m.Symbol, m.Marks, m.Main = "", 0, nil
	for i := range m.Functions {
		m.Functions[i].Index = -1
		m.Functions[i].Reason = reason
	}
}

// readMetadata returns the metadata of an archive, nil if it has none.
func readMetadata(archive string) (*metadata, error) {
	data, err := readMember(archive, metadataMember)
	if err != nil || data == nil {
		return nil, err
	}
	m := new(metadata)
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("%s: reading metadata: %w", archive, err)
	}
	return m, nil
}
