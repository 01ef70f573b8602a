// What the compile action tells the link action about a package.

package registry

import (
	"encoding/json"
	"fmt"

	"github.com/naver/scavenger/scavenger-wrap/rewrite"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain/lean"
)

// Metadata is the content of the archive member, as JSON. It needs no version: a
// scavenger-wrap with another form of it has another tool ID, so link sees only archives
// of its own.
type Metadata struct {
	ImportPath string // without " [x.test]"
	Symbol     string `json:",omitempty"` // of the mark array, escaped; "" without one
	Marks      int    `json:",omitempty"` // its length
	Functions  []rewrite.Function
	LeftOut    []string `json:",omitempty"` // by settings or comments: "New", "Cart.Add"

	// NotMarked is why a package that matches has no marks, "" if it has them. It
	// holds no directory of the machine.
	NotMarked string `json:",omitempty"`

	// Main is set in the archive of a program that imports the registry.
	Main *MainMetadata `json:",omitempty"`
}

// MainMetadata holds what link needs to put in the registry and hitrt.
type MainMetadata struct {
	Fingerprint []byte   // of the stub that main was compiled against
	Flags       []string // code generation flags that main was compiled with
	CoverMode   string   `json:",omitempty"` // -covermode, "" if main is not covered
}

// Attach adds the metadata to an archive.
func (m *Metadata) Attach(archive string) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := toolchain.AppendMetadata(archive, data); err != nil {
		return fmt.Errorf("adding metadata to the archive: %w", err)
	}
	return nil
}

// Unmark makes all functions not observable. It is for a package that is compiled without
// marks.
func (m *Metadata) Unmark(reason string) {
	m.Symbol, m.Marks, m.Main = "", 0, nil
	for i := range m.Functions {
		m.Functions[i].Index = -1
		m.Functions[i].Reason = reason
	}
}

// ReadMetadata returns the metadata of an archive, nil if it has none.
func ReadMetadata(archive string) (*Metadata, error) {
	data, err := toolchain.ReadMember(archive, lean.MetadataMember)
	if err != nil || data == nil {
		return nil, err
	}
	m := new(Metadata)
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("%s: reading metadata: %w", archive, err)
	}
	return m, nil
}
