// Archives: the _pkg_.a files that compile writes and link reads. A member of ours
// can be added, and survives whenever the go command takes the archive from its cache.

package toolchain

import (
	"bytes"
	"fmt"
	"os"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain/lean"
)

// AppendMetadata adds our member at the end of an archive.
func AppendMetadata(archive string, data []byte) error {
	return AppendMember(archive, lean.ExportMember, append([]byte(lean.MetadataTag), data...))
}

// AppendMember adds a member at the end of an archive.
func AppendMember(archive, name string, data []byte) (err error) {
	f, err := os.OpenFile(archive, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", name, 0, 0, 0, 0o644, len(data))
	b.Write(data)
	if len(data)%2 != 0 {
		b.WriteByte(0) // members begin at even offsets
	}
	_, err = f.Write(b.Bytes())
	return err
}

// ReadMember returns the data of the archive's member of that name, nil if it
// has none.
func ReadMember(archive, name string) ([]byte, error) {
	f, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	members, err := lean.ReadMembers(f)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if m.Name == name {
			data := make([]byte, m.Size)
			_, err := f.ReadAt(data, m.Offset)
			return data, err
		}
	}
	return nil, nil
}

// ExportData returns the member that describes the package to its importers.
func ExportData(archive string) ([]byte, error) {
	return ReadMember(archive, lean.ExportMember)
}
