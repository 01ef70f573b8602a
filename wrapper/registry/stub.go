// The stub of the registry: what a main package is compiled against, as the registry
// itself can only be made when the program is linked.

package registry

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// stubSource has an initialisation that the compiler cannot drop, so that main's own
// initialisation waits for the registry's.
const stubSource = GeneratedHeader + `package registry

var started = start()

//go:noinline
func start() bool { return true }
`

// CompileStub compiles the stub in dir, with the compiler beside a tool. The archive is
// the same in the compile action of main and in the link action.
func CompileStub(tool, dir string) (archive string, err error) {
	file, cfg := filepath.Join(dir, "registry.go"), filepath.Join(dir, "importcfg.registry")
	if err := os.WriteFile(file, []byte(stubSource), 0o666); err != nil {
		return "", err
	}
	if err := os.WriteFile(cfg, nil, 0o666); err != nil {
		return "", err
	}
	archive = filepath.Join(dir, "registry.a")
	cmd := exec.Command(toolchain.SiblingTool(tool, "compile"), "-o", archive, "-p", Path, "-trimpath", dir+"=>"+Path,
		"-complete", "-nolocalimports", "-pack", "-importcfg", cfg, file)
	return archive, action.RunProcess(cmd)
}

// WithoutReporting prints that a program is built without reporting, and why.
func WithoutReporting(release string, err error) {
	if release == "" {
		release = "this release of Go"
	}
	fmt.Fprintf(os.Stderr, "scavenger-wrap: %s is newer than this version of scavenger-wrap, which knows Go up to %s: the program is built without reporting (%v)\n",
		release, strings.TrimPrefix(toolchain.NewestKnown, "go"), err)
}
