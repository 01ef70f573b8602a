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
//   - compile's with the sources of package rewrite, the version of what the
//     wrapper itself adds to a package (compileVersion), and the settings that
//     say what is marked;
//   - link's with that of compile, the sources of hitrt, the version of the
//     generated registry (linkVersion), and the settings baked into programs.
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
	"path"
	"strings"
)

// compileVersion changes with what the compile action itself puts into an
// archive: the stub of the registry and the metadata.
const compileVersion = 1

// linkVersion changes with the generated registry.
const linkVersion = 1

func (a *action) printVersion() error {
	cmd := exec.Command(a.path, a.args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); ok {
		return exitStatus(exit.ExitCode())
	}
	if err != nil {
		return err
	}
	id, err := a.id()
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

// id is our part of the ID of the action's tool.
func (a *action) id() (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "compile %d\n", compileVersion)
	if err := hashSources(h, a.sources, "rewrite"); err != nil {
		return "", err
	}
	a.config.WriteCompileID(h)
	if a.tool == "link" {
		fmt.Fprintf(h, "link %d\n", linkVersion)
		if err := hashSources(h, a.sources, "hitrt"); err != nil {
			return "", err
		}
		a.config.WriteLinkID(h)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:10]), nil
}

func hashSources(w io.Writer, sources fs.FS, dir string) error {
	files, err := goSources(sources, dir)
	if err != nil {
		return err
	}
	for _, name := range files {
		text, err := fs.ReadFile(sources, path.Join(dir, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s %x\n", name, sha256.Sum256(text))
	}
	return nil
}

// goSources returns the names of a directory's Go files but for its tests.
func goSources(sources fs.FS, dir string) ([]string, error) {
	entries, err := fs.ReadDir(sources, dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			names = append(names, name)
		}
	}
	return names, nil
}
