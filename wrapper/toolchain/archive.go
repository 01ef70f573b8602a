// Archives: the _pkg_.a files that compile writes and link reads. A member of ours
// can be added, and survives whenever the go command takes the archive from its cache.

package toolchain

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

const (
	archiveMagic = "!<arch>\n"
	headerSize   = 60
	// ExportMember is the name of the member that describes the package to its
	// importers. They read the first member of this name.
	ExportMember = "__.PKGDEF"
	// MetadataMember is the name by which ReadMembers returns our member. In the
	// archive it has the name of the export data and begins with metadataTag: the
	// linker, `go tool nm` and objdump all skip a second member of that name. With any
	// other name, nm and objdump refuse an archive in which a member is no object.
	MetadataMember = "scavenger"
	metadataTag    = "scavenger\n"
)

// AppendMetadata adds our member at the end of an archive.
func AppendMetadata(archive string, data []byte) error {
	return AppendMember(archive, ExportMember, append([]byte(metadataTag), data...))
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

// A Member is one member of an archive: its data are size bytes at offset.
type Member struct {
	Name         string
	Offset, Size int64
}

// ReadMembers returns the members of the archive in f, without their data.
func ReadMembers(f *os.File) ([]Member, error) {
	head := make([]byte, headerSize+len(metadataTag))
	if _, err := io.ReadFull(f, head[:len(archiveMagic)]); err != nil || string(head[:len(archiveMagic)]) != archiveMagic {
		return nil, fmt.Errorf("%s: not an archive", f.Name())
	}
	var members []Member
	for offset := int64(len(archiveMagic)); ; {
		n, err := f.ReadAt(head, offset)
		if n < headerSize && errors.Is(err, io.EOF) {
			return members, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		size, err := strconv.ParseInt(strings.TrimSpace(string(head[48:58])), 10, 64)
		if err != nil || size < 0 {
			return nil, fmt.Errorf("%s: malformed archive at offset %d", f.Name(), offset)
		}
		offset += headerSize
		m := Member{strings.TrimRight(string(head[:16]), " "), offset, size}
		if m.Name == ExportMember && string(head[headerSize:n]) == metadataTag && size >= int64(len(metadataTag)) {
			m = Member{MetadataMember, offset + int64(len(metadataTag)), size - int64(len(metadataTag))}
		}
		members = append(members, m)
		offset += size + size%2
	}
}

// ReadMember returns the data of the archive's member of that name, nil if it
// has none.
func ReadMember(archive, name string) ([]byte, error) {
	f, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	members, err := ReadMembers(f)
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
	return ReadMember(archive, ExportMember)
}
