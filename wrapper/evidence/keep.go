// Where digests are: in the build cache, and in the work directory of a build.

package evidence

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/config"
)

// Places are the directories in which digests are kept. Either may be "".
type Places struct {
	Cache string // the build cache
	Work  string // the work directory of the running go command
}

// Read returns the digest of the evidence that the settings name, nil if they name none.
// Where the evidence cannot be used, the digest says why, and no function is presumed.
func Read(c *config.Config, places Places, read Reader) (*Digest, error) {
	if c.Evidence == "" {
		return nil, nil
	}
	pinned := ""
	if places.Work != "" {
		pinned = filepath.Join(places.Work, "scavenger-evidence")
		if d := load(pinned); d != nil {
			return d, nil
		}
	}
	kept := ""
	if filepath.IsAbs(places.Cache) {
		kept = filepath.Join(places.Cache, "scavenger", keyOf(c))
	}
	d := load(kept)
	if d == nil {
		var err error
		if d, err = newDigest(c, read); err != nil {
			return nil, err
		}
		if d.Problem == "" { // others may pass
			store(kept, d.text, os.Rename)
		}
	} else {
		touch(kept)
	}
	if pinned == "" {
		return d, nil
	}
	store(pinned, d.text, os.Link) // which leaves that of another action alone
	if first := load(pinned); first != nil {
		return first, nil
	}
	return d, nil
}

// keyOf returns a name for the digest: a hash of what it depends on. Of the evidence it is
// the size of each file and when it was changed. Our own file stands for the code.
func keyOf(c *config.Config) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %v\n", c.Evidence, c.EvidenceMaxAge)
	for _, m := range c.Modules {
		fmt.Fprintf(h, "module %q\n", m.Path)
	}
	root := c.Evidence
	if file, err := filepath.EvalSymlinks(root); err == nil {
		root = file
	}
	note := func(path string, info fs.FileInfo) {
		fmt.Fprintf(h, "%q %v %d %d\n", path, info.Mode(), info.Size(), info.ModTime().UnixNano())
	}
	if exe, err := os.Executable(); err == nil {
		if info, err := os.Stat(exe); err == nil {
			note("", info)
		}
	}
	// It cannot fail: what cannot be read has no size.
	_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		info, statErr := os.Stat(path)
		if err == nil && statErr == nil {
			note(path, info)
			return nil
		}
		fmt.Fprintf(h, "%q cannot be read\n", path)
		if entry != nil && entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
	return fmt.Sprintf("evidence-%x", h.Sum(nil)[:16])
}

// load returns the digest in a file, nil if there is none that is whole.
func load(file string) *Digest {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	d, err := decode(text)
	if err != nil {
		return nil
	}
	return d
}

// store writes a digest. If it cannot, the next action makes it again.
func store(file string, text []byte, place func(from, to string) error) {
	if file == "" || os.MkdirAll(filepath.Dir(file), 0o777) != nil {
		return
	}
	temp, err := os.CreateTemp(filepath.Dir(file), "new-")
	if err != nil {
		return
	}
	defer os.Remove(temp.Name()) // it is gone if it was renamed
	_, err = temp.Write(text)
	if closeErr := temp.Close(); err != nil || closeErr != nil || os.Chmod(temp.Name(), 0o644) != nil {
		return
	}
	_ = place(temp.Name(), file)
}

// touch notes that a digest is in use: link removes what nobody has used for a month.
func touch(file string) {
	now := time.Now()
	if info, err := os.Stat(file); err == nil && now.Sub(info.ModTime()) > 24*time.Hour {
		_ = os.Chtimes(file, now, now)
	}
}
