// Package toolid makes our part of tool IDs, by which the go command's build cache
// learns of us.
//
// The go command identifies the result of an action by a hash of its inputs:
// the sources, the flags, the results it depends on, and the tool that does
// it, the last as the line that the tool prints for -V=full. That question is
// asked through -toolexec. A wrapper that passes it on unchanged is taken for
// the plain compiler: the marked packages would be found by plain builds, and
// plain packages by marked ones. So the line is extended with whatever makes
// our results differ, and nothing else, as each new ID compiles every package
// again, the standard library too:
//
//   - compile's with the sources of scavenger-wrap that decide how a package is
//     compiled, the release of Go that it was built with, whose parser and type checker
//     decide it too, the settings that say what is marked, and the functions that
//     evidence presumes (wrapper/evidence);
//   - link's with that, the sources of wrapper/link and those of hitrt, the
//     settings baked into programs, and what link says of the build's surroundings.
//
// The sources are hashed as they were built into this binary. A version number
// kept by hand would recompile less often between two releases, but to forget
// it once gives wrong programs, and only where a cache is warm.
//
// Other tools are left alone; their results are the same as in plain builds and
// are shared with them.
//
// The line has two forms (buildid.go in cmd/go). Releases print
//
//	compile version go1.26.8
//
// and the whole line is the ID. Development versions print
//
//	compile version devel go1.28-3c1a9b4 buildID=<action>/…/<content>
//
// and only what follows the last slash of the last field counts.
//
// It may import config, wrapper/evidence, wrapper/action and wrapper/toolchain.
package toolid

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/evidence"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// Print does the action of a tool that is asked for its ID: it prints the tool's line
// with our part of the ID in it.
func Print(a *action.Action) error {
	if a.Tool == "compile" && a.ByFrontend() {
		return a.PassThrough()
	}
	cfg, err := a.ReadConfig()
	if err != nil {
		return err
	}
	cmd, err := a.Command(a.Args)
	if err != nil {
		return err
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return action.ExitStatus(exit.ExitCode())
	}
	if err != nil {
		return err
	}
	// This action is the first of a build that knows the release, and the go command runs
	// it once.
	if err := toolchain.CheckRelease(toolchain.ReleaseOf(strings.Fields(string(out)))); err != nil {
		return err
	}
	digest, err := a.ReadEvidence(cfg)
	if err != nil {
		return err
	}
	id, err := Of(a.Tool, a.Sources, cfg, digest)
	if err != nil {
		return err
	}
	line := extendVersion(string(bytes.TrimSpace(out)), id)
	_, err = fmt.Println(line)
	return err
}

// extendVersion adds our part of the tool ID where the go command looks.
func extendVersion(line, id string) string {
	fields := strings.Fields(line)
	if last := len(fields) - 1; last > 1 && strings.HasPrefix(fields[last], "buildID=") {
		return line + "+scavenger-" + id
	}
	return line + " scavenger/" + id
}

// compileSources are the directories whose code decides how a package is compiled:
// that of the compile action, all that it imports, and the package that chooses
// between actions. TestSources finds what is missing.
var compileSources = []string{"config", "rewrite", "wrapper", "wrapper/action", "wrapper/compile", "wrapper/early", "wrapper/evidence",
	"wrapper/plain", "wrapper/registry", "wrapper/toolchain", "wrapper/toolchain/lean"}

// linkSources are the further directories whose code decides how a program is linked.
var linkSources = []string{"hitrt", "hitrt/datafile", "wrapper/link", "wrapper/toolid"}

// Of returns our part of the ID of a tool, compile or link. digest is the evidence of the
// build, nil without any.
func Of(tool string, sources fs.FS, cfg *config.Config, digest *evidence.Digest) (string, error) {
	return idOf(tool, runtime.Version(), sources, cfg, digest)
}

// idOf is Of for a scavenger-wrap that was built with a release of Go.
func idOf(tool, builtWith string, sources fs.FS, cfg *config.Config, digest *evidence.Digest) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "built with %s\n", builtWith)
	if err := hashSources(h, sources, compileSources); err != nil {
		return "", err
	}
	cfg.WriteCompileID(h)
	digest.WriteCompileID(h)
	if tool == "link" {
		if err := hashSources(h, sources, linkSources); err != nil {
			return "", err
		}
		cfg.WriteLinkID(h)
		digest.WriteLinkID(h)
		for _, line := range action.Notices(cfg, func(string) bool { return true }) {
			fmt.Fprintf(h, "notice %q\n", line)
		}
		fmt.Fprintf(h, "version %s\n", Version()) // which doctor finds in programs
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:10]), nil
}

// BuildName returns a name that tells whether two binaries are the same scavenger-wrap.
// It is the version, and for a build without a version also a hash of the sources.
func BuildName(sources fs.FS) (string, error) {
	v := Version()
	if v != "(devel)" {
		return v, nil
	}
	h := sha256.New()
	var dirs []string
	err := fs.WalkDir(sources, ".", func(name string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && name != "." {
			dirs = append(dirs, name)
		}
		return err
	})
	if err == nil {
		err = hashSources(h, sources, dirs)
	}
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %x", v, h.Sum(nil)[:5]), nil
}

// hashSources writes names and contents of the Go files in directories, without tests.
func hashSources(w io.Writer, sources fs.FS, dirs []string) error {
	for _, dir := range dirs {
		files, err := fs.Glob(sources, dir+"/*.go")
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return fmt.Errorf("no source in %s of this binary", dir)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := fs.ReadFile(sources, file)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "%s %x\n", file, sha256.Sum256(text))
		}
	}
	return nil
}

// release is the version that the linker writes into the binaries of a release
// (.goreleaser.yaml); nothing else sets it.
var release string

// Version returns the version of the module that this binary was built from.
func Version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
