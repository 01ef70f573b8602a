// The archive of hitrt, kept from link to link.
//
// hitrt is in none of the program's modules, so the go command does not compile it and
// does not keep it in the build cache. We run the compile tool ourselves, and keep the
// archive in a directory of ours in $GOCACHE, under a hash of all that goes into it.
// Where that directory cannot be written, each link compiles hitrt. An SDK, whose link
// often has no $GOCACHE, brings archives of hitrt with it (sdk.go).

package link

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"go/build"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain/lean"
)

// codeGeneration are the variables that decide which code compile generates.
var codeGeneration = []string{"GO386", "GOAMD64", "GOARCH", "GOARM", "GOARM64", "GOEXPERIMENT", "GOFIPS140", "GOMIPS", "GOMIPS64",
	"GOOS", "GOPPC64", "GORISCV64", "GOWASM"}

// takeHitrt copies the archive of a package of hitrt to name if it is kept, and reports
// whether it is. If not, keep is the file to keep it in, or "" if there is no place for it.
func (l *linking) takeHitrt(p *build.Package, name string) (taken bool, keep string, err error) {
	cache := os.Getenv("GOCACHE")
	if !filepath.IsAbs(cache) && l.Flags.SDK == "" {
		return false, "", nil
	}
	key, err := l.hitrtKey(p)
	if err != nil || key == "" {
		return false, "", err
	}
	if dir := l.Flags.SDK; dir != "" && copyKept(filepath.Join(dir, action.SDKHitrt, key), name) {
		return true, "", nil
	}
	if !filepath.IsAbs(cache) {
		return false, "", nil
	}
	file := filepath.Join(cache, "scavenger", key)
	return takeKept(file, name), file, nil
}

// hitrtKey returns the name under which the archive of a package of hitrt is kept, "" if
// nothing stands for the content of what it imports.
func (l *linking) hitrtKey(p *build.Package) (string, error) {
	h := sha256.New()
	version, err := l.readCompilerVersion()
	if err != nil {
		return "", err
	}
	fmt.Fprintf(h, "%s%s %q\n", version, p.Dir, l.hitrtFlags())
	if err := l.hashCodeGeneration(h); err != nil {
		return "", err
	}
	for _, name := range p.GoFiles {
		text, err := fs.ReadFile(l.Sources, path.Join(p.Dir, name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %x\n", name, sha256.Sum256(text))
	}
	for _, imported := range p.Imports {
		if imported == "unsafe" {
			continue
		}
		id, err := l.contentID(imported)
		if err != nil {
			return "", err
		}
		if id == "" {
			return "", nil
		}
		fmt.Fprintf(h, "%s %s\n", imported, id)
	}
	return fmt.Sprintf("hitrt-%x", h.Sum(nil)[:16]), nil
}

// readCompilerVersion returns what compile says of itself. It is asked once for all
// packages of hitrt.
func (l *linking) readCompilerVersion() ([]byte, error) {
	if l.compilerVersion == nil {
		out, err := exec.Command(toolchain.SiblingTool(l.Path, "compile"), "-V=full").Output()
		if err != nil {
			return nil, fmt.Errorf("compile -V=full: %w", err)
		}
		l.compilerVersion = out
	}
	return l.compilerVersion, nil
}

// hashCodeGeneration writes what decides which code compile generates. An SDK is made
// before the builder sets its variables; there it is what the compiler has written into
// the archive of runtime.
func (l *linking) hashCodeGeneration(h io.Writer) error {
	if l.Flags.SDK != "" {
		header, err := toolchain.ObjectHeader(l.cfg.Packages["runtime"])
		fmt.Fprintf(h, "%q\n", header)
		return err
	}
	for _, name := range codeGeneration {
		fmt.Fprintf(h, "%s=%s\n", name, os.Getenv(name))
	}
	return nil
}

// contentID returns what stands for the content of an imported package, "" if nothing
// does. Builders take build IDs out of the archives; there it is the fingerprint of the
// export data, which is all that compile reads of the package.
func (l *linking) contentID(path string) (string, error) {
	archive := l.cfg.Packages[path]
	switch {
	case registry.IsOurs(path):
	case l.Flags.SDK != "":
		fingerprint, err := toolchain.ReadFingerprint(archive)
		return fmt.Sprintf("%x", fingerprint), err
	default:
		return lean.ContentID(archive)
	}
	text, err := os.ReadFile(archive) // it has no content ID
	return fmt.Sprintf("%x", sha256.Sum256(text)), err
}

// takeKept copies to name what is kept in file, and reports whether it did. It notes that
// the file is in use.
func takeKept(file, name string) bool {
	if !copyKept(file, name) {
		return false
	}
	now := time.Now()
	if info, err := os.Stat(file); err == nil && now.Sub(info.ModTime()) > 24*time.Hour {
		_ = os.Chtimes(file, now, now)
	}
	return true
}

// copyKept copies to name what is kept in file, and reports whether it did. The file
// begins with a checksum of the rest, because other programs may damage files in a cache.
func copyKept(file, name string) bool {
	data, err := os.ReadFile(file)
	if err != nil || len(data) < sha256.Size {
		return false
	}
	sum := sha256.Sum256(data[sha256.Size:])
	if !bytes.Equal(data[:sha256.Size], sum[:]) {
		return false
	}
	return os.WriteFile(name, data[sha256.Size:], 0o666) == nil
}

// keep keeps the file name in file. If it cannot, the next process makes it again.
func keep(file, name string) {
	if file == "" {
		return
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return
	}
	dir := filepath.Dir(file)
	if os.MkdirAll(dir, 0o777) != nil {
		return
	}
	temp, err := os.CreateTemp(dir, "new-")
	if err != nil {
		return
	}
	defer os.Remove(temp.Name()) // it is gone if it was renamed
	sum := sha256.Sum256(data)
	_, err = temp.Write(slices.Concat(sum[:], data))
	if closeErr := temp.Close(); err != nil || closeErr != nil || os.Chmod(temp.Name(), 0o644) != nil {
		return
	}
	if os.Rename(temp.Name(), file) == nil {
		forgetUnused(dir)
	}
}

// forgetUnused removes what nobody has taken for a month. The front-end's links to a
// scavenger-wrap (calledCompile) are not taken but used: one goes if it leads nowhere.
func forgetUnused(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || time.Since(info.ModTime()) <= 30*24*time.Hour {
			continue
		}
		name := filepath.Join(dir, e.Name())
		if link := filepath.Join(name, "compile"); e.IsDir() && isGone(link) {
			_ = os.Remove(link)
		}
		_ = os.Remove(name) // which leaves a directory alone that has a link
	}
}

// isGone reports whether there is nothing of a name, or where it leads to.
func isGone(name string) bool {
	_, err := os.Stat(name)
	return errors.Is(err, fs.ErrNotExist)
}
