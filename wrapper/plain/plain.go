// Package plain takes the archives of packages that are not marked from the plain cache,
// so that they need not be compiled again.
//
// Our compile has a tool ID of its own. So the go command of a marked build does not find
// the packages that plain builds have left in the build cache. Yet a package that is not
// marked compiles to the same bytes in both, apart from the build ID. So the action
// copies the archive of the plain build, and writes into it the build ID that the go
// command asks for. The go command then computes the content ID, and gets that of the
// plain archive. This proves, package by package, that importers have been compiled
// against the same bytes.
//
// table.go finds the plain archives, once per build. An archive is taken only if all that
// goes into it is known to be the same. In any other case, and whenever anything fails,
// the package is compiled.
//
// It may import config, wrapper/action and wrapper/toolchain.
package plain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// plainCacheVariable switches all of this off with the value "off".
const plainCacheVariable = "SCAVENGER_PLAIN_CACHE"

// TakeOrCompile does a compile action without changes: it takes the archive from the
// plain cache or becomes the tool. cfg is nil if the settings have not been read.
func TakeOrCompile(a *action.Action, cfg *config.Config) error {
	if a.ByFrontend() { // the go command itself finds plain archives
		return a.PassThrough()
	}
	err := takePlain(a, cfg)
	if err == nil {
		a.Log.Plain("")
		return nil
	}
	a.Log.Plain(err.Error())
	return a.PassThrough()
}

// takePlain writes the archive from that of the plain build, or returns why it cannot.
func takePlain(a *action.Action, cfg *config.Config) error {
	switch {
	case os.Getenv(plainCacheVariable) == "off":
		return errors.New("switched off")
	case len(a.Flags.Next) > 0:
		return errors.New("-next may change it")
	case a.ImportPath == "" || strings.Contains(a.ImportPath, " "):
		return errors.New("the variant of a test, or not built by the go command")
	}
	c, err := parseCompile(a.Args)
	if err != nil {
		return err
	}
	table, err := tableOf(a, cfg, c)
	if err != nil {
		return err
	}
	p, err := table.find(a.ImportPath)
	if err != nil {
		return err
	}
	if err := c.same(p, table); err != nil {
		return err
	}
	return c.take(p)
}

// A plainCompile is a compile command line of which every flag is understood.
type plainCompile struct {
	values map[string]string // of the flags that the go command sets on its own
	modes  []string          // the flags that stand for build flags
	words  []string          // all other flags
	files  []string
}

func parseCompile(args []string) (*plainCompile, error) {
	c := &plainCompile{values: map[string]string{}}
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		arg := toolchain.OneDash(args[0])
		args = args[1:]
		name, value, hasValue := strings.Cut(arg, "=")
		known, takesValue := toolchain.OfPackage(name)
		switch {
		case takesValue:
			if !hasValue {
				if len(args) == 0 {
					return nil, fmt.Errorf("%s has no value", name)
				}
				value, args = args[0], args[1:]
			}
			c.values[name] = value
		case toolchain.IsModeFlag(arg):
			c.modes = append(c.modes, arg)
		case name == "-coveragecfg":
			return nil, errors.New("it is covered")
		case name == "-pgoprofile":
			return nil, errors.New("it has a profile")
		case !known || hasValue:
			c.words = append(c.words, arg)
		}
	}
	c.files = args
	for _, name := range []string{"-buildid", "-importcfg", "-o"} {
		if c.values[name] == "" {
			return nil, fmt.Errorf("%s is not given", name)
		}
	}
	if c.values["-p"] == "main" {
		return nil, errors.New("a main package")
	}
	return c, nil
}

// same returns nil if the compilation is that of the plain archive, build ID aside. It
// skips flags that depend only on the package and on what both go commands share.
func (c *plainCompile) same(p *plainPackage, table *plainTable) error {
	if len(c.values["-buildid"]) != len(p.BuildID) {
		return errors.New("build IDs differ in length")
	}
	if slices.Sort(c.modes); !slices.Equal(c.modes, p.Modes) {
		return fmt.Errorf("compiled with %q, the plain one with %q", c.modes, p.Modes)
	}
	for _, word := range c.words {
		if !slices.Contains(p.Words, word) {
			return fmt.Errorf("%s is not known", word)
		}
	}
	if _, ok := c.values["-asmhdr"]; ok && !p.TakeAsm {
		return errors.New("it has assembly, and -asmflags are given")
	}
	if err := c.sameFiles(p); err != nil {
		return err
	}
	if err := c.unchanged(p); err != nil {
		return err
	}
	cfg, err := toolchain.ReadImportcfg(c.values["-importcfg"])
	if err != nil {
		return err
	}
	plain, err := table.contentIDs()
	if err != nil {
		return err
	}
	for path, archive := range cfg.Packages {
		want, ok := plain[path]
		if !ok {
			return fmt.Errorf("imports %s: %w", path, errNotInTable)
		}
		id, err := toolchain.ContentID(archive)
		if err != nil {
			return err
		}
		if id == "" || id != want {
			return fmt.Errorf("imports another %s", path)
		}
	}
	return nil
}

// sameFiles returns an error if the source files are not those of the plain archive, in
// the same order. Files that cgo has generated are in another directory, so their
// contents are compared.
func (c *plainCompile) sameFiles(p *plainPackage) error {
	if len(c.files) != len(p.Files) {
		return fmt.Errorf("%d files, the plain one has %d", len(c.files), len(p.Files))
	}
	for i, file := range c.files {
		if file == p.Files[i] {
			continue
		}
		if filepath.Dir(file) != filepath.Dir(c.values["-o"]) {
			return fmt.Errorf("%s, the plain one has %s", file, p.Files[i])
		}
		have, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		want, err := os.ReadFile(p.Files[i])
		if err != nil {
			return err
		}
		if !bytes.Equal(have, want) {
			return fmt.Errorf("%s differs from the plain one", filepath.Base(file))
		}
	}
	return nil
}

// unchanged returns an error if a file was changed after the second go command was asked
// for the plain archive, see table.go.
//
// The running go command reads the files of a package later than the second one. If a
// file changes in between, it keeps the archive of the old text under the hash of the new
// text. Later builds would find that archive until the file changes again.
func (c *plainCompile) unchanged(p *plainPackage) error {
	embedded, err := embeddedFiles(c.values["-embedcfg"])
	if err != nil {
		return err
	}
	files := slices.Concat(c.files, embedded)
	if _, ok := c.values["-asmhdr"]; ok {
		files = append(files, p.Sources...)
	}
	for _, file := range files {
		if filepath.Dir(file) == filepath.Dir(c.values["-o"]) {
			continue // generated, and compared by what is in it
		}
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		if changeTime(info).After(p.Since) {
			return fmt.Errorf("%s has changed since", file)
		}
	}
	return nil
}

// embeddedFiles returns the files that a -embedcfg file names. If file is "" there are
// none.
func embeddedFiles(file string) ([]string, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var cfg struct{ Files map[string]string }
	if err := json.Unmarshal(text, &cfg); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	return slices.Collect(maps.Values(cfg.Files)), nil
}

// take writes the archive: the two members that compile itself would have written. The go
// command then adds the objects of asm and of the C compiler, as it always does.
func (c *plainCompile) take(p *plainPackage) error {
	f, err := os.Open(p.Archive)
	if err != nil {
		return err
	}
	defer f.Close()
	members, err := toolchain.ReadMembers(f)
	if err != nil {
		return err
	}
	if len(members) < 2 || members[0].Name != toolchain.ExportMember || members[1].Name != "_go_.o" {
		return errors.New("the plain archive has another form")
	}
	out, err := os.Create(c.values["-o"])
	if err != nil {
		return err
	}
	err = c.copyMembers(out, f, p, members[:2])
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if _, ok := c.values["-asmhdr"]; ok && err == nil {
		err = c.keepAssembled(f, p, members[2:])
	}
	return err
}

// copyMembers copies the first members of an archive and writes the build ID into the
// copies. The build ID is in the first lines of each member. It must not be anywhere
// else: the go command leaves it out when it computes the content ID of the archive, and
// only so the content ID is that of the plain archive. With another content ID, no
// package that imports this one would be taken.
func (c *plainCompile) copyMembers(out, f *os.File, p *plainPackage, members []toolchain.Member) error {
	last := members[len(members)-1]
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	// On Linux the kernel copies from file to file.
	if _, err := io.CopyN(out, f, last.Offset+last.Size+last.Size%2); err != nil {
		return err
	}
	for _, m := range members {
		head := make([]byte, min(m.Size, 4096))
		if _, err := f.ReadAt(head, m.Offset); err != nil {
			return err
		}
		i := bytes.Index(head, []byte("\nbuild id "+strconv.Quote(p.BuildID)+"\n"))
		if i < 0 {
			return fmt.Errorf("%s of the plain archive has no build ID", m.Name)
		}
		if _, err := out.WriteAt([]byte(c.values["-buildid"]), m.Offset+int64(i+len("\nbuild id \""))); err != nil {
			return err
		}
	}
	return nil
}

// keepAssembled copies the objects that asm has made of the package's assembly out of the
// plain archive, where they follow the members of the compiler. The asm actions to come
// take them (Asm). asm itself cannot run, because it needs the -asmhdr file, which only a
// compilation writes.
func (c *plainCompile) keepAssembled(f *os.File, p *plainPackage, members []toolchain.Member) error {
	if len(members) < len(p.AsmFiles) {
		return errors.New("the plain archive lacks assembled objects")
	}
	for i, name := range p.AsmFiles {
		object := assembled(c.values["-o"], strings.TrimSuffix(name, ".s")+".o")
		// Names of members are cut to 16 characters.
		if !strings.HasPrefix(filepath.Base(object), members[i].Name) || members[i].Name == "" {
			return errors.New("the plain archive has other assembled objects")
		}
		data := make([]byte, members[i].Size)
		if _, err := f.ReadAt(data, members[i].Offset); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(object), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(object, data, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// assembled returns the file in which an object of asm is kept. file is any file in the
// object directory.
func assembled(file, object string) string {
	return filepath.Join(filepath.Dir(file), "scavenger-asm", filepath.Base(object))
}

// Asm does an action of asm: it takes the object that keepAssembled has kept, or becomes
// asm.
func Asm(a *action.Action) error {
	out, ok := toolchain.FlagValue(a.Args, "-o")
	if ok && !toolchain.HasFlag(a.Args, "-gensymabis") {
		if err := os.Rename(assembled(out, out), out); err == nil {
			a.Log.Plain("")
			return nil
		}
	}
	return a.PassThrough()
}
