// Package program fetches real programs through the Go module proxy and builds
// them, plain or with scavenger-wrap, for the tests, the demonstration and the
// measurements of e2e.
package program

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// A Program is a writable copy of a module, to be built as the main module.
type Program struct {
	Path string   // module path
	Dir  string   // the copy
	Env  []string // of Build, besides this process's
}

// Fetch downloads a module ("example.com/mod@v1.2.3") and copies it to dir,
// which must not exist.
func Fetch(ctx context.Context, module, dir string) (*Program, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	cmd.Dir = os.TempDir() // outside any module
	out, err := cmd.Output()
	var info struct{ Path, Dir, Error string }
	if jsonErr := json.Unmarshal(out, &info); jsonErr != nil || info.Error != "" {
		return nil, fmt.Errorf("downloading %s: %w: %s", module, err, info.Error)
	}
	if err := copyTree(dir, info.Dir); err != nil {
		return nil, fmt.Errorf("copying %s: %w", module, err)
	}
	return &Program{Path: info.Path, Dir: dir}, nil
}

// copyTree copies the files below src, which are read-only in the module
// cache, as writable ones.
func copyTree(dst, src string) error {
	return filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		target := filepath.Join(dst, rel)
		if d.IsDir() {
			return os.MkdirAll(target, 0o777)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o666)
	})
}

// Build runs `go build` with the given arguments in the program's directory. It fails if a bug
// of ours kept a package from being marked.
func (p *Program) Build(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build"}, args...)...)
	cmd.Dir = p.Dir
	cmd.Env = append(append(os.Environ(), "GOWORK=off"), p.Env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return NoBug(out)
}

// bug matches what link prints, and what the log of actions has, of a package that a bug of ours
// kept from being marked.
var bug = regexp.MustCompile(`.*(not marked: |"reason":")internal error.*`)

// NoBug returns an error if the output of a build, or its log, says that a bug of ours kept a
// package from being marked. Such a build succeeds.
func NoBug(out []byte) error {
	if line := bug.Find(out); line != nil {
		return fmt.Errorf("not marked because of a bug: %s", line)
	}
	return nil
}

// Checksum returns a checksum over the names, modification times and contents
// of all files.
func (p *Program) Checksum() (string, error) {
	h := sha256.New()
	err := filepath.WalkDir(p.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		fmt.Fprintf(h, "%s %d %x\n", path, info.ModTime().UnixNano(), sha256.Sum256(text))
		return err
	})
	return fmt.Sprintf("%x", h.Sum(nil)), err
}

// BuildWrapper builds scavenger-wrap from the checkout that the working
// directory is in and returns the binary's path, which is below dir.
func BuildWrapper(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "scavenger-wrap"+ExeSuffix())
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/naver/scavenger/scavenger-wrap")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building scavenger-wrap: %w\n%s", err, out)
	}
	return binary, NoteSources()
}

// NoteSources stats every file that scavenger-wrap is built from. go test reuses a
// result if the files that the test itself looked at are unchanged; files that only
// its child processes read do not count. Without this call, which must come from
// within a test, a result would outlive a change of the sources.
func NoteSources() error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	for !isFile(filepath.Join(root, "go.mod")) {
		parent := filepath.Dir(root)
		if parent == root {
			return errors.New("the working directory is in no checkout of scavenger-wrap")
		}
		root = parent
	}
	files := []string{filepath.Join(root, "go.mod"), filepath.Join(root, "main.go")}
	for _, pattern := range []string{"config/*.go", "hitrt/*.go", "hitrt/*/*.go", "rewrite/*.go", "wrapper/*.go", "wrapper/*/*.go"} {
		matches, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			return err
		}
		files = append(files, matches...)
	}
	for _, file := range files {
		if _, err := os.Stat(file); err != nil {
			return err
		}
	}
	return nil
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// ExeSuffix returns the suffix of executables on this platform.
func ExeSuffix() string {
	if os.PathSeparator == '\\' {
		return ".exe"
	}
	return ""
}
