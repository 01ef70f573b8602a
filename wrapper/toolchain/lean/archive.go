// Archives: the _pkg_.a files that compile writes and link reads.

package lean

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
)

const (
	archiveMagic = "!<arch>\n"
	headerSize   = 60
	// ExportMember is the name of the member that describes the package to its
	// importers. They read the first member of this name.
	ExportMember = "__.PKGDEF"
	// MetadataMember is the name by which ReadMembers returns our member. In the
	// archive it has the name of the export data and begins with MetadataTag: the
	// linker, `go tool nm` and objdump all skip a second member of that name. With any
	// other name, nm and objdump refuse an archive in which a member is no object.
	MetadataMember = "scavenger"
	// MetadataTag begins our member.
	MetadataTag = "scavenger\n"
)

// A Member is one member of an archive: its data are size bytes at offset.
type Member struct {
	Name         string
	Offset, Size int64
}

// ReadMembers returns the members of the archive in f, without their data.
func ReadMembers(f *os.File) ([]Member, error) {
	head := make([]byte, headerSize+len(MetadataTag))
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
		size, err := strconv.ParseInt(string(bytes.TrimSpace(head[48:58])), 10, 64)
		if err != nil || size < 0 {
			return nil, fmt.Errorf("%s: malformed archive at offset %d", f.Name(), offset)
		}
		offset += headerSize
		m := Member{string(bytes.TrimRight(head[:16], " ")), offset, size}
		if m.Name == ExportMember && string(head[headerSize:n]) == MetadataTag && size >= int64(len(MetadataTag)) {
			m = Member{MetadataMember, offset + int64(len(MetadataTag)), size - int64(len(MetadataTag))}
		}
		members = append(members, m)
		offset += size + size%2
	}
}

// ContentID returns the content ID of an archive, or "" if the archive has no build ID.
func ContentID(archive string) (string, error) {
	f, err := os.Open(archive)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var head [4096]byte
	n, err := io.ReadFull(f, head[:])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", err
	}
	_, rest, ok := bytes.Cut(head[:n], []byte("\nbuild id \""))
	id, _, ok2 := bytes.Cut(rest, []byte("\"\n"))
	if !ok || !ok2 {
		return "", nil
	}
	return ContentOf(string(id)), nil
}

// ContentOf returns the content ID in a build ID.
func ContentOf(buildID string) string {
	return string([]byte(buildID)[bytes.LastIndexByte([]byte(buildID), '/')+1:])
}
