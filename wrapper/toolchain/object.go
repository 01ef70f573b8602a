// Objects: what an archive says of the package that was compiled to it, and of the
// compiler.

package toolchain

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
)

// ObjectHeader returns the fields of the first line of an object file:
// "go object linux amd64 go1.26.8 GOAMD64=v1 X:none".
func ObjectHeader(archive string) ([]string, error) {
	data, err := ExportData(archive)
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

// objectMagic begins a Go object; the 8 bytes after it are the fingerprint of
// the package's export data, which link compares with the one that each
// importer recorded.
const objectMagic = "\x00go120ld"

// FingerprintSize is the length of a fingerprint.
const FingerprintSize = 8

// fingerprintOffset returns where in the archive's bytes the fingerprint stands.
func fingerprintOffset(archive []byte) (int, error) {
	i := bytes.Index(archive, []byte(objectMagic))
	if i < 0 || i+len(objectMagic)+FingerprintSize > len(archive) {
		return 0, fmt.Errorf("the archive has no Go object of a known form")
	}
	return i + len(objectMagic), nil
}

// ReadFingerprint returns the fingerprint of an archive.
func ReadFingerprint(archive string) ([]byte, error) {
	data, err := os.ReadFile(archive)
	if err != nil {
		return nil, err
	}
	i, err := fingerprintOffset(data)
	if err != nil {
		return nil, err
	}
	return data[i : i+FingerprintSize], nil
}

// PatchFingerprint overwrites the fingerprint of an archive.
func PatchFingerprint(archive string, fingerprint []byte) error {
	data, err := os.ReadFile(archive)
	if err != nil {
		return err
	}
	i, err := fingerprintOffset(data)
	if err != nil {
		return err
	}
	if len(fingerprint) != FingerprintSize {
		return errors.New("the metadata of main has no fingerprint of the registry")
	}
	copy(data[i:], fingerprint)
	return os.WriteFile(archive, data, 0o666)
}

// ObjectTarget returns the platform that an archive is for.
func ObjectTarget(archive string) (goos, goarch string, err error) {
	f, err := ObjectHeader(archive)
	if err != nil {
		return "", "", err
	}
	return f[2], f[3], nil
}

// SymbolName returns the linker's name of a package's variable. The import path is
// escaped as the compiler does it (cmd/internal/objabi.PathToPrefix): gopkg.in/yaml.v3
// becomes gopkg.in/yaml%2ev3.
func SymbolName(p, name string) string {
	var b strings.Builder
	slash := strings.LastIndexByte(p, '/')
	for i := range len(p) {
		switch c := p[i]; {
		case c <= ' ', c == '.' && i > slash, c == '%', c == '"', c >= 0x7f:
			fmt.Fprintf(&b, "%%%02x", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + "." + name
}

// ObjectVersion returns the release that an archive was compiled with, such as
// "go1.26.8".
func ObjectVersion(archive string) (string, error) {
	fields, err := ObjectHeader(archive)
	if err != nil {
		return "", err
	}
	if release := ReleaseOf(fields[4:]); release != "" {
		return release, nil
	}
	return fields[4], nil
}
