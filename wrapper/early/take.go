// Taking the plain archive of a package in place of compiling it. wrapper/plain says why
// that may be done.

package early

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain/lean"
)

// plainCacheVariable switches the plain cache off with the value "off".
const plainCacheVariable = "SCAVENGER_PLAIN_CACHE"

// Takable returns the command line of a compile action, and the table that may have its
// archive, which need not be there yet. It returns an error if the archive cannot be taken
// in any case.
func Takable(args []string, importPath string, env func(string) string) (*Compile, Table, error) {
	var t Table
	switch {
	case env(plainCacheVariable) == "off":
		return nil, t, errors.New("switched off")
	case importPath == "" || bytes.IndexByte([]byte(importPath), ' ') >= 0:
		return nil, t, errors.New("the variant of a test, or not built by the go command")
	}
	c, err := parseCompile(args)
	if err != nil {
		return nil, t, err
	}
	t, ok := tableOf(c.values["-o"])
	if !ok {
		return nil, t, errors.New("not built by the go command")
	}
	return c, t, nil
}

// A Compile is a compile command line of which every flag is understood.
type Compile struct {
	values map[string]string // of the flags that the go command sets on its own
	modes  []string          // the flags that stand for build flags
	words  []string          // all other flags
	files  []string
}

// parseCompile returns the command line with these arguments.
func parseCompile(args []string) (*Compile, error) {
	c := &Compile{values: map[string]string{}}
	for len(args) > 0 && lean.HasPrefix(args[0], "-") {
		arg := args[0]
		if lean.HasPrefix(arg, "--") {
			arg = arg[1:]
		}
		args = args[1:]
		name, value, hasValue := cut(arg)
		known, takesValue := lean.OfPackage(name)
		switch {
		case takesValue:
			if !hasValue {
				if len(args) == 0 {
					return nil, fmt.Errorf("%s has no value", name)
				}
				value, args = args[0], args[1:]
			}
			c.values[name] = value
		case lean.IsModeFlag(arg):
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

// cut splits a flag at its equals sign.
func cut(flag string) (name, value string, hasValue bool) {
	for i := range len(flag) {
		if flag[i] == '=' {
			return flag[:i], flag[i+1:], true
		}
	}
	return flag, "", false
}

// Importcfg returns the file that names the archives of what the package imports.
func (c *Compile) Importcfg() string { return c.values["-importcfg"] }

// errEmbeds is the error about a package with embedded files if they cannot be read.
var errEmbeds = errors.New("it embeds files")

// Take writes the archive of a package from the plain one in the table, or returns why it
// cannot. embedded returns the files that a -embedcfg file names.
func (c *Compile) Take(t Table, importPath string, embedded func(file string) ([]string, error)) error {
	p, err := t.find(importPath)
	if err != nil {
		return err
	}
	var files []string
	if cfg := c.values["-embedcfg"]; cfg != "" {
		if files, err = embedded(cfg); err != nil {
			return err
		}
	}
	if err := c.same(p, t, files); err != nil {
		return err
	}
	return c.take(p)
}

// same returns nil if the compilation is that of the plain archive, build ID aside. It
// skips flags that depend only on the package and on what both go commands share.
func (c *Compile) same(p *Package, table Table, embedded []string) error {
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
	if err := c.unchanged(p, embedded); err != nil {
		return err
	}
	imports, err := readImports(c.Importcfg())
	if err != nil {
		return err
	}
	plain, err := table.contentIDs()
	if err != nil {
		return err
	}
	for path, archive := range imports {
		want, ok := plain[path]
		if !ok {
			return fmt.Errorf("imports %s: %w", path, errNotInTable)
		}
		id, err := lean.ContentID(archive)
		if err != nil {
			return err
		}
		if id == "" || id != want {
			return fmt.Errorf("imports another %s", path)
		}
	}
	return nil
}

// readImports returns the archives of an importcfg file by import path.
func readImports(file string) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading importcfg: %w", err)
	}
	archives := map[string]string{}
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte("packagefile ")); ok {
			if path, archive, ok := bytes.Cut(bytes.TrimSpace(rest), []byte("=")); ok {
				archives[string(path)] = string(archive)
			}
		}
	}
	return archives, nil
}

// sameFiles returns an error if the source files are not those of the plain archive, in
// the same order. Files that cgo has generated are in another directory, so their
// contents are compared.
func (c *Compile) sameFiles(p *Package) error {
	if len(c.files) != len(p.Files) {
		return fmt.Errorf("%d files, the plain one has %d", len(c.files), len(p.Files))
	}
	for i, file := range c.files {
		if file == p.Files[i] {
			continue
		}
		if lean.Dir(file) != lean.Dir(c.values["-o"]) {
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
			return fmt.Errorf("%s differs from the plain one", lean.Base(file))
		}
	}
	return nil
}

// unchanged returns an error if a file was changed after the second go command was asked
// for the plain archive (wrapper/plain).
//
// The running go command reads the files of a package later than the second one. If a
// file changes in between, it keeps the archive of the old text under the hash of the new
// text. Later builds would find that archive until the file changes again.
func (c *Compile) unchanged(p *Package, embedded []string) error {
	files := slices.Concat(c.files, embedded)
	if _, ok := c.values["-asmhdr"]; ok {
		files = append(files, p.Sources...)
	}
	for _, file := range files {
		if lean.Dir(file) == lean.Dir(c.values["-o"]) {
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

// take writes the archive: the two members that compile itself would have written. The go
// command then adds the objects of asm and of the C compiler, as it always does.
func (c *Compile) take(p *Package) error {
	f, err := os.Open(p.Archive)
	if err != nil {
		return err
	}
	defer f.Close()
	members, err := lean.ReadMembers(f)
	if err != nil {
		return err
	}
	if len(members) < 2 || members[0].Name != lean.ExportMember || members[1].Name != "_go_.o" {
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
func (c *Compile) copyMembers(out, f *os.File, p *Package, members []lean.Member) error {
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
// take them (TakeAssembled). asm itself cannot run, because it needs the -asmhdr file,
// which only a compilation writes.
//
// The directory gets its name when all are in it. If one cannot be written, as on a full
// disk, the package is compiled, and no asm action may find a part of an object.
func (c *Compile) keepAssembled(f *os.File, p *Package, members []lean.Member) error {
	if len(members) < len(p.AsmFiles) {
		return errors.New("the plain archive lacks assembled objects")
	}
	dir := keptDir(c.values["-o"])
	unfinished := dir + "-unfinished"
	if err := os.MkdirAll(unfinished, 0o777); err != nil {
		return err
	}
	for i, name := range p.AsmFiles {
		object := lean.Base(string(bytes.TrimSuffix([]byte(name), []byte(".s"))) + ".o")
		// Names of members are cut to 16 characters.
		if !lean.HasPrefix(object, members[i].Name) || members[i].Name == "" {
			return errors.New("the plain archive has other assembled objects")
		}
		data := make([]byte, members[i].Size)
		if _, err := f.ReadAt(data, members[i].Offset); err != nil {
			return err
		}
		if err := os.WriteFile(unfinished+string(os.PathSeparator)+object, data, 0o666); err != nil {
			return err
		}
	}
	return os.Rename(unfinished, dir)
}

// TakeAssembled does an action of asm with the object that a compile action has kept. It
// returns false if there is none.
func TakeAssembled(args []string) bool {
	out := ""
	for i, arg := range args {
		if lean.HasPrefix(arg, "--") {
			arg = arg[1:]
		}
		switch name, value, hasValue := cut(arg); {
		case name == "-gensymabis": // it writes another file
			return false
		case name == "-o" && hasValue:
			out = value
		case name == "-o" && i+1 < len(args):
			out = args[i+1]
		}
	}
	return out != "" && os.Rename(kept(out), out) == nil
}

// kept returns the file in which an object of asm is kept.
func kept(object string) string {
	return keptDir(object) + string(os.PathSeparator) + lean.Base(object)
}

// keptDir returns the directory of kept objects. file is any file in the object directory.
func keptDir(file string) string {
	return file[:len(file)-len(lean.Base(file))] + "scavenger-asm"
}
