// The archive of hitrt, kept from link to link.
//
// hitrt is in none of the program's modules, so the go command does not compile it and
// does not keep it in the build cache. We run the compile tool ourselves, and keep the
// archive in a directory of ours in $GOCACHE, under a hash of all that goes into it.
// Where that directory cannot be written, each link compiles hitrt.

package link

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"go/build"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// CodeGeneration are the variables that decide which code compile generates.
var CodeGeneration = []string{"GO386", "GOAMD64", "GOARCH", "GOARM", "GOARM64", "GOEXPERIMENT", "GOFIPS140", "GOMIPS", "GOMIPS64",
	"GOOS", "GOPPC64", "GORISCV64", "GOWASM"}

// keptHitrt returns the file that the archive of a package of hitrt is kept in, "" if
// there is no place for it.
func (l *linking) keptHitrt(p *build.Package) (string, error) {
	cache := os.Getenv("GOCACHE")
	if !filepath.IsAbs(cache) {
		return "", nil
	}
	h := sha256.New()
	version, err := exec.Command(toolchain.SiblingTool(l.Path, "compile"), "-V=full").Output()
	if err != nil {
		return "", fmt.Errorf("compile -V=full: %w", err)
	}
	fmt.Fprintf(h, "%s%s %q\n", version, p.Dir, l.hitrtFlags())
	for _, name := range CodeGeneration {
		fmt.Fprintf(h, "%s=%s\n", name, os.Getenv(name))
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
	return filepath.Join(cache, "scavenger", fmt.Sprintf("hitrt-%x", h.Sum(nil)[:16])), nil
}

// contentID returns what stands for the content of an imported package, "" if nothing
// does.
func (l *linking) contentID(path string) (string, error) {
	archive := l.cfg.Packages[path]
	if !registry.IsOurs(path) {
		return toolchain.ContentID(archive)
	}
	text, err := os.ReadFile(archive) // it has no content ID
	return fmt.Sprintf("%x", sha256.Sum256(text)), err
}

// TakeKept copies to name what is kept in file, and reports whether it did. The file
// begins with a checksum of the rest, because other programs may damage files in a
// cache.
func TakeKept(file, name string) bool {
	data, err := os.ReadFile(file)
	if err != nil || len(data) < sha256.Size {
		return false
	}
	sum := sha256.Sum256(data[sha256.Size:])
	if !bytes.Equal(data[:sha256.Size], sum[:]) {
		return false
	}
	now := time.Now()
	if info, err := os.Stat(file); err == nil && now.Sub(info.ModTime()) > 24*time.Hour {
		_ = os.Chtimes(file, now, now) // in use
	}
	return os.WriteFile(name, data[sha256.Size:], 0o666) == nil
}

// Keep keeps the file name in file. If it cannot, the next process makes it again.
func Keep(file, name string) {
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

// forgetUnused removes what nobody has taken for a month.
func forgetUnused(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > 30*24*time.Hour {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}
