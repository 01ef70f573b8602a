// Archives: the _pkg_.a files that compile writes and link reads. What we know
// of a package travels inside its archive, as one more member, and so survives
// whenever the go command takes the archive from its cache.

package wrapper

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

const (
	archiveMagic = "!<arch>\n"
	headerSize   = 60
	// exportMember is the name of the member that describes the package to its
	// importers, who read the first one of this name.
	exportMember = "__.PKGDEF"
	// metadataMember is what readMembers calls our member. In the archive it has
	// the name of the export data and begins with metadataTag: that name is the
	// only one that the linker, `go tool nm` and objdump all pass over. The latter
	// two refuse an archive with a member of another name that is no object.
	metadataMember = "scavenger"
	metadataTag    = "scavenger\n"
)

// appendMetadata adds our member at the end of an archive.
func appendMetadata(archive string, data []byte) error {
	return appendMember(archive, exportMember, append([]byte(metadataTag), data...))
}

// appendMember adds a member at the end of an archive.
func appendMember(archive, name string, data []byte) (err error) {
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

// A member is one member of an archive: its data are size bytes at offset.
type member struct {
	name         string
	offset, size int64
}

// readMembers returns the members of the archive in f, without their data.
func readMembers(f *os.File) ([]member, error) {
	head := make([]byte, headerSize+len(metadataTag))
	if _, err := io.ReadFull(f, head[:len(archiveMagic)]); err != nil || string(head[:len(archiveMagic)]) != archiveMagic {
		return nil, fmt.Errorf("%s: not an archive", f.Name())
	}
	var members []member
	for offset := int64(len(archiveMagic)); ; {
		n, err := f.ReadAt(head, offset)
		if n < headerSize && err == io.EOF {
			return members, nil
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
		size, err := strconv.ParseInt(strings.TrimSpace(string(head[48:58])), 10, 64)
		if err != nil || size < 0 {
			return nil, fmt.Errorf("%s: malformed archive at offset %d", f.Name(), offset)
		}
		offset += headerSize
		m := member{strings.TrimRight(string(head[:16]), " "), offset, size}
		if m.name == exportMember && string(head[headerSize:n]) == metadataTag && size >= int64(len(metadataTag)) {
			m = member{metadataMember, offset + int64(len(metadataTag)), size - int64(len(metadataTag))}
		}
		members = append(members, m)
		offset += size + size%2
	}
}

// readMember returns the data of the archive's member of that name, nil if it
// has none.
func readMember(archive, name string) ([]byte, error) {
	f, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	members, err := readMembers(f)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if m.name == name {
			data := make([]byte, m.size)
			_, err := f.ReadAt(data, m.offset)
			return data, err
		}
	}
	return nil, nil
}

// exportData returns the member that describes the package to its importers.
func exportData(archive string) ([]byte, error) {
	return readMember(archive, exportMember)
}

// objectHeader returns the fields of the first line of an object file:
// "go object linux amd64 go1.26.8 X:none".
func objectHeader(archive string) ([]string, error) {
	data, err := exportData(archive)
	if err != nil {
		return nil, err
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	f := strings.Fields(string(line))
	if len(f) < 5 || f[0] != "go" || f[1] != "object" {
		return nil, fmt.Errorf("%s: not a Go object", archive)
	}
	return f, nil
}

// contentID returns the part of the archive's build ID that identifies its
// content, whatever it was made from; "" if it has no build ID.
func contentID(archive string) (string, error) {
	f, err := os.Open(archive)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var head [4096]byte
	n, err := io.ReadFull(f, head[:])
	if err != nil && err != io.ErrUnexpectedEOF {
		return "", err
	}
	_, rest, ok := bytes.Cut(head[:n], []byte("\nbuild id \""))
	id, _, ok2 := bytes.Cut(rest, []byte("\"\n"))
	if !ok || !ok2 {
		return "", nil
	}
	return string(id[bytes.LastIndexByte(id, '/')+1:]), nil
}

// objectMagic begins a Go object; the 8 bytes after it are the fingerprint of
// the package's export data, which link compares with the one that each
// importer recorded.
const objectMagic = "\x00go120ld"

const fingerprintSize = 8

// fingerprintOffset returns where in the archive's bytes the fingerprint stands.
func fingerprintOffset(archive []byte) (int, error) {
	i := bytes.Index(archive, []byte(objectMagic))
	if i < 0 || i+len(objectMagic)+fingerprintSize > len(archive) {
		return 0, fmt.Errorf("the archive has no Go object of a known form")
	}
	return i + len(objectMagic), nil
}

// readFingerprint returns the fingerprint of an archive.
func readFingerprint(archive string) ([]byte, error) {
	data, err := os.ReadFile(archive)
	if err != nil {
		return nil, err
	}
	i, err := fingerprintOffset(data)
	if err != nil {
		return nil, err
	}
	return data[i : i+fingerprintSize], nil
}
