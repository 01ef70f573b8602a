// Where the plain archives of a build's packages are.
//
// The first action that wants to know runs a second go command: the same as the running
// one (outer.go), but without us. The answer goes into the work directory of the running
// go command: one small file per package, and one with the content IDs of all. Each of
// the hundreds of actions then reads two files.
//
// The second go command compiles what the cache lacks. So a package is compiled once,
// whether a plain or a marked build comes first. The second go command is not asked for
// packages that match, nor for those that depend on one, because their plain archives
// would be of no use.

package plain

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// A plainPackage is the plain compilation of a package.
type plainPackage struct {
	Archive  string
	BuildID  string
	Files    []string  // compile's, absolute; generated ones are in the build cache
	AsmFiles []string  // asm's, without their directory
	Sources  []string  // what the plain archive was assembled from, absolute
	Since    time.Time // a time before the second go command read any of the files
	TakeAsm  bool      // there are no -asmflags, so assembled objects may be taken
	Modes    []string  // the flags of compile that stand for build flags, sorted
	Words    []string  // flags of compile that -gcflags may have added
}

// A plainTable is the answer of the second go command: a directory.
type plainTable struct {
	dir string
}

// tableDone is the file that is written last: when it exists, the table is complete. If
// the table could not be made, the file says why.
const tableDone = "done"

// tableContents is the file with a line for each package: its import path and the
// content ID of its plain archive.
const tableContents = "contents"

var errNotInTable = errors.New("no plain archive")

// tableOf returns the table of this build, and makes it if there is none.
func tableOf(a *action.Action, cfg *config.Config, c *plainCompile) (*plainTable, error) {
	work := toolchain.WorkDirectory(c.values["-o"])
	if work == "" {
		return nil, errors.New("not built by the go command")
	}
	t := &plainTable{filepath.Join(work, "scavenger-plain")}
	if t.done() {
		return t, nil
	}
	// Most builds that get here without a table find their unmarked packages in the
	// cache. They have compiled a marked package, and now a package that imports it. No
	// plain archive helps with that one.
	if err := c.importsNoMark(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(t.dir, 0o777); err != nil {
		return nil, err
	}
	unlock, err := toolchain.Lock(filepath.Join(t.dir, "lock"))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if t.done() { // while we waited
		return t, nil
	}
	reason := ""
	if err := fill(a, cfg, t); err != nil {
		reason = err.Error()
	}
	return t, os.WriteFile(filepath.Join(t.dir, tableDone), []byte(reason), 0o666)
}

// importsNoMark returns an error if the package imports one that is marked.
func (c *plainCompile) importsNoMark() error {
	cfg, err := toolchain.ReadImportcfg(c.values["-importcfg"])
	if err != nil {
		return err
	}
	for path, archive := range cfg.Packages {
		m, err := toolchain.ReadMember(archive, toolchain.MetadataMember)
		if err != nil {
			return err
		}
		if m != nil {
			return fmt.Errorf("imports %s, which is marked", path)
		}
	}
	return nil
}

func (t *plainTable) done() bool {
	_, err := os.Stat(filepath.Join(t.dir, tableDone))
	return err == nil
}

// find returns the plain compilation of a package.
func (t *plainTable) find(importPath string) (*plainPackage, error) {
	text, err := os.ReadFile(t.file(importPath))
	if errors.Is(err, fs.ErrNotExist) {
		if reason, err := os.ReadFile(filepath.Join(t.dir, tableDone)); err == nil && len(reason) > 0 {
			return nil, errors.New(string(reason))
		}
		return nil, errNotInTable
	}
	if err != nil {
		return nil, err
	}
	p := new(plainPackage)
	return p, json.Unmarshal(text, p)
}

// contentIDs returns the content IDs of all plain archives by import path.
func (t *plainTable) contentIDs() (map[string]string, error) {
	text, err := os.ReadFile(filepath.Join(t.dir, tableContents))
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if path, id, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " "); ok {
			ids[path] = id
		}
	}
	return ids, nil
}

func (t *plainTable) file(importPath string) string {
	return filepath.Join(t.dir, fmt.Sprintf("%x", sha256.Sum256([]byte(importPath)))[:32])
}

// fill asks for the plain archives and writes the files of the table.
func fill(a *action.Action, cfg *config.Config, t *plainTable) error {
	outer, err := ReadOuterCommand()
	if err == nil {
		err = outer.noPlain
	}
	if err != nil {
		return err
	}
	if cfg == nil {
		if cfg, err = a.ReadConfig(); err != nil {
			return err
		}
	}
	if toolchain.UsesCacheProg() && !outer.goList().SharesCacheProg(filepath.Dir(t.dir)) {
		return errors.New("GOCACHEPROG serves no second go command")
	}
	names, err := outer.unmarkedPackages(cfg)
	if err != nil || len(names) == 0 {
		return err
	}
	// A file system's clock may be a tick behind.
	since := time.Now().Add(-100 * time.Millisecond)
	// -compiled names the files that cgo generates.
	packages, err := outer.list("ImportPath,Dir,Standard,Export,BuildID,CompiledGoFiles,CgoFiles,SFiles,HFiles", []string{"-export", "-compiled"}, names...)
	if err != nil {
		return err
	}
	var contents strings.Builder
	for _, p := range packages {
		if p.Export == "" || p.BuildID == "" {
			continue
		}
		fmt.Fprintf(&contents, "%s %s\n", p.ImportPath, toolchain.ContentOf(p.BuildID))
		plain := outer.plainPackage(p)
		plain.Since = since
		text, err := json.Marshal(plain)
		if err != nil {
			return err
		}
		if err := os.WriteFile(t.file(p.ImportPath), text, 0o666); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(t.dir, tableContents), []byte(contents.String()), 0o666)
}

func (c *OuterCommand) plainPackage(p toolchain.ListedPackage) *plainPackage {
	modes := slices.Clone(c.modes)
	slices.Sort(modes)
	plain := &plainPackage{Archive: p.Export, BuildID: p.BuildID, TakeAsm: !c.asm, Modes: slices.Compact(modes), Words: c.words}
	for _, file := range p.CompiledGoFiles {
		if !filepath.IsAbs(file) {
			file = filepath.Join(p.Dir, file)
		}
		plain.Files = append(plain.Files, file)
	}
	for _, file := range p.SFiles {
		// In a package with cgo, the C compiler assembles all of them. Only runtime/cgo
		// has files for asm too, which do not begin with gcc_.
		if len(p.CgoFiles) == 0 || p.ImportPath == "runtime/cgo" && !strings.HasPrefix(file, "gcc_") {
			plain.AsmFiles = append(plain.AsmFiles, file)
		}
	}
	for _, file := range slices.Concat(p.SFiles, p.HFiles) {
		plain.Sources = append(plain.Sources, filepath.Join(p.Dir, file))
	}
	return plain
}

// unmarkedPackages returns the import paths of those packages of the build that neither
// match nor depend on one that does.
func (c *OuterCommand) unmarkedPackages(cfg *config.Config) ([]string, error) {
	flags := []string{"-deps"}
	if c.tests {
		flags = append(flags, "-test")
	}
	// Each package comes after those that it imports.
	packages, err := c.list("ImportPath,Name,Dir,ForTest,Standard,DepOnly,Imports", flags, c.roots...)
	if err != nil {
		return nil, err
	}
	if c.cover {
		more, err := c.list("ImportPath,Standard,DepOnly,Imports", []string{"-deps"}, "runtime/coverage")
		if err != nil {
			return nil, err
		}
		packages = append(packages, more...)
	}
	var names []string
	out := map[string]bool{}
	for _, p := range packages {
		if _, seen := out[p.ImportPath]; seen {
			continue
		}
		out[p.ImportPath] = !p.Standard && cfg.Match(p.ImportPath) && cfg.FromModules(p.ImportPath, p.Dir) ||
			slices.ContainsFunc(p.Imports, func(path string) bool { return out[path] })
		switch {
		case out[p.ImportPath], p.ImportPath == "unsafe", c.named && !p.DepOnly:
		case p.Name == "main": // compiled in any case
		case p.ForTest != "" || strings.Contains(p.ImportPath, " ") || strings.HasSuffix(p.ImportPath, ".test"):
		default:
			names = append(names, p.ImportPath)
		}
	}
	return names, nil
}

// list runs go list with the flags of the build. A package with errors comes without an
// archive, and the build reports what is wrong with it.
func (c *OuterCommand) list(fields string, flags []string, patterns ...string) ([]toolchain.ListedPackage, error) {
	ctx, cancel := toolchain.LimitCacheProg()
	defer cancel()
	packages, err := c.goList().Packages(ctx, fields, append([]string{"-e", "-pgo=off"}, flags...), patterns...)
	if failed := (*toolchain.ListError)(nil); errors.As(err, &failed) {
		return nil, errors.New(failed.Short())
	}
	return packages, err
}

// goList returns how to run a go list that sees the same build.
func (c *OuterCommand) goList() toolchain.GoList {
	return toolchain.GoList{Program: c.program, Dir: c.dir, Env: c.env(c.dir, c.goflags), Flags: c.flags}
}
