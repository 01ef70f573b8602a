// Tool IDs: how the go command's build cache learns of us.
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
//     compiled, and the settings that say what is marked;
//   - link's with that, the other sources of wrapper and those of hitrt, and the
//     settings baked into programs.
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

package wrapper

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/config"
)

func printVersion(a *action) error {
	if a.tool == "compile" && a.byFrontend() {
		return a.passThrough()
	}
	cfg, err := a.readConfig()
	if err != nil {
		return err
	}
	cmd, err := a.command(a.args)
	if err != nil {
		return err
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); ok && exit.Exited() {
		return exitStatus(exit.ExitCode())
	}
	if err != nil {
		return err
	}
	// The first to know, and the go command asks it once.
	if err := checkRelease(releaseOf(strings.Fields(string(out)))); err != nil {
		return err
	}
	id, err := toolID(a.tool, a.sources, cfg)
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

// compileSources are the files, relative to the module, whose code decides how
// a package is compiled. TestCompileSources finds what lacks.
var compileSources = []string{"config/*.go", "rewrite/*.go", "wrapper/archive.go", "wrapper/args.go",
	"wrapper/chain.go", "wrapper/change_*.go", "wrapper/closures.go", "wrapper/compile.go",
	"wrapper/frontend.go", "wrapper/importcfg.go", "wrapper/metadata.go", "wrapper/moduleflags.go", "wrapper/newgo.go",
	"wrapper/owndir.go", "wrapper/packagedir.go", "wrapper/parent.go", "wrapper/plain.go", "wrapper/plaintable.go",
	"wrapper/probe.go", "wrapper/responsefile.go", "wrapper/selection.go", "wrapper/stub.go", "wrapper/tools.go", "wrapper/wrapper.go"}

// linkSources are those that decide on top of that how a program is linked.
var linkSources = []string{"hitrt/*.go", "wrapper/*.go"}

// toolID is our part of the ID of a tool.
func toolID(tool string, sources fs.FS, cfg *config.Config) (string, error) {
	h := sha256.New()
	if err := hashSources(h, sources, compileSources); err != nil {
		return "", err
	}
	cfg.WriteCompileID(h)
	if tool == "link" {
		if err := hashSources(h, sources, linkSources); err != nil {
			return "", err
		}
		cfg.WriteLinkID(h)
		fmt.Fprintf(h, "version %s\n", version()) // which doctor finds in programs
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:10]), nil
}

// buildName is the version for those who want to know whether two binaries are the
// same scavenger-wrap: that of builds without a version has a hash of the sources
// behind it.
func buildName(sources fs.FS) (string, error) {
	v := version()
	if v != "(devel)" {
		return v, nil
	}
	h := sha256.New()
	if err := hashSources(h, sources, []string{"*/*.go"}); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %x", v, h.Sum(nil)[:5]), nil
}

func hashSources(w io.Writer, sources fs.FS, patterns []string) error {
	for _, pattern := range patterns {
		files, err := fs.Glob(sources, pattern)
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return fmt.Errorf("no source %s in this binary", pattern)
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
