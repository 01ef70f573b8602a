// The packages of a build as the commands see them: what `go list` says.

package command

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"go.uber.org/zap/zapcore"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/rewrite"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/compile"
)

// A listedPackage is what `go list -json` says of a package.
type listedPackage struct {
	ImportPath, Name, Dir string
	GoFiles, CgoFiles     []string
	Standard, DepOnly     bool
	Error                 *struct{ Err string }
}

// list returns the packages that patterns name, and all that they import.
// Without patterns it is those below the working directory.
func (cmd *commands) list(patterns []string) ([]listedPackage, error) {
	if len(patterns) == 0 {
		from, err := cmd.buildSource()
		if err != nil {
			return nil, err
		}
		if root, _, err := config.Root(from); err != nil || root == "" {
			return nil, cmp.Or(err, errors.New("no go.mod here or above: run it in the module of your program, or name packages"))
		}
		patterns = []string{"./..."}
	}
	goList := exec.Command("go", append([]string{"list", "-e", "-deps", "-json=ImportPath,Name,Dir,GoFiles,CgoFiles,Standard,DepOnly,Error", "--"}, patterns...)...)
	var stderr bytes.Buffer
	goList.Stderr = &stderr
	cmd.log.log(zapcore.DebugLevel, "run", stringField("command", strings.Join(goList.Args, " ")))
	out, err := goList.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	var packages []listedPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listedPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) && len(packages) == 0 {
			return nil, fmt.Errorf("no package matches %s", strings.Join(patterns, " "))
		} else if errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if p.Error != nil && !p.DepOnly {
			return nil, errors.New(p.Error.Err)
		}
		packages = append(packages, p)
	}
}

// matches reports whether a build would mark the package.
func (p *listedPackage) matches(c *config.Config) bool {
	return c.Match(p.ImportPath) && c.FromModules(p.ImportPath, p.Dir)
}

// rewrite marks a package as a build would, but for cgo: its files are marked
// before cgo has changed them.
func (p *listedPackage) rewrite(c *config.Config) (*rewrite.Result, []rewrite.Source, error) {
	var sources []rewrite.Source
	for _, name := range append(p.GoFiles[:len(p.GoFiles):len(p.GoFiles)], p.CgoFiles...) {
		file := filepath.Join(p.Dir, name)
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, err
		}
		sources = append(sources, rewrite.Source{Name: file, Text: text})
	}
	res, err := rewrite.Package(rewrite.Options{
		ImportPath: p.ImportPath,
		Dir:        c.SourceDir(p.ImportPath),
		Filter:     compile.FilterOf(c, p.ImportPath),
		Closures:   compile.ClosuresOf(c),
		Arch:       compile.Goarch(),
	}, sources)
	return res, sources, err
}
