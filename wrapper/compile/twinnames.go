// The names of function literals that twins return.
//
// In
//
//	var handler = newHandler()
//
//	func newHandler() func() { return func() { … } }
//
// the initialiser calls a twin of newHandler (see rewrite/static.go). The compiler names
// the literal after what it was inlined from: main.init.newHandler.func1 up to Go 1.26,
// main.newHandler.func1 from then on. With a twin these names have the twin's in them, in
// tracebacks and in runtime.FuncForPC. So once a package with twins is compiled, its
// symbols are given the names they have in the plain program.
//
// The names stand in the object file, each once, in front of the tables that refer to
// them by length and offset (cmd/internal/goobj). A name without a twin's prefix is
// shorter: it is written over the old one, and what refers to that gets its length.
//
// Which symbols may be renamed depends on how the linker tells them apart
// (cmd/link/internal/loader):
//
//   - Content-addressable symbols are known by the hash of their content, and several
//     may have one name. From Go 1.27 on function literals are such symbols.
//   - All others have names of their own. Of them those are renamed that were inlined
//     into the package's initialisation. The compiler numbers these, whatever they
//     were inlined from, so they are as different as in the plain program. Literals in
//     the body of the twin itself would get the names of those in the function.
//
// What debug information says in its own bytes stays.

package compile

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/rewrite"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// renameTwins gives the symbols of a package's object file that are named after twins
// the names they have without. p is compile's -p. A file of another form stays as it is.
func renameTwins(archive, p string) error {
	f, err := os.OpenFile(archive, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	members, err := toolchain.ReadMembers(f)
	if err != nil {
		return nil
	}
	for _, m := range members {
		if m.Name == toolchain.ExportMember || m.Name == toolchain.MetadataMember {
			continue
		}
		data := make([]byte, m.Size)
		if _, err := f.ReadAt(data, m.Offset); err != nil {
			return err
		}
		// A few lines of text come first.
		header, _, ok := bytes.Cut(data, []byte("\n!\n"+toolchain.ObjectMagic))
		if !ok {
			continue
		}
		if o := readObject(data[len(header)+len("\n!\n"):]); o != nil && o.renameTwins(p) {
			if _, err := f.WriteAt(data, m.Offset); err != nil {
				return err
			}
		}
	}
	return f.Close()
}

// An object is a Go object file.
type object struct {
	data   []byte
	blocks [objectBlocks]uint32 // where each begins
}

// The blocks of an object file of toolchain.ObjectMagic that matter here.
const (
	blockAutolib  = 0 // the first; names are in front of it
	blockPackages = 1
	blockFiles    = 2
	blockSymbols  = 3
	blockHashed64 = 4
	blockHashed   = 5
	blockNamed    = 6
	blockRefs     = 7 // not defined in this file
	blockRefNames = 17
	objectBlocks  = 19 // with the end of the last
)

// A nameTable is a block whose records refer to names, by 4 bytes each for length and
// offset.
type nameTable struct {
	block      int
	size, name uint32 // of a record, and where in it the reference stands
	symbols    symbolKind
}

// A symbolKind is by what symbols are told from each other; 0 in tables of other things.
type symbolKind int

const (
	byName symbolKind = iota + 1
	byHash
)

var nameTables = [...]nameTable{
	{blockAutolib, 16, 0, 0}, {blockPackages, 8, 0, 0}, {blockFiles, 8, 0, 0},
	{blockSymbols, 21, 0, byName}, {blockHashed64, 21, 0, byHash}, {blockHashed, 21, 0, byHash},
	{blockNamed, 21, 0, byName}, {blockRefs, 21, 0, byName}, {blockRefNames, 16, 8, 0},
}

const objectHeaderSize = len(toolchain.ObjectMagic) + toolchain.FingerprintSize + 4 + 4*objectBlocks

// readObject returns an object file, nil if it is none or none that we know.
func readObject(data []byte) *object {
	if len(data) < objectHeaderSize || !bytes.HasPrefix(data, []byte(toolchain.ObjectMagic)) {
		return nil
	}
	o := &object{data: data}
	last := uint32(objectHeaderSize)
	for i := range o.blocks {
		o.blocks[i] = binary.LittleEndian.Uint32(data[objectHeaderSize-4*(objectBlocks-i):])
		if o.blocks[i] < last || uint64(o.blocks[i]) > uint64(len(data)) {
			return nil
		}
		last = o.blocks[i]
	}
	for _, t := range nameTables {
		if (o.blocks[t.block+1]-o.blocks[t.block])%t.size != 0 {
			return nil
		}
	}
	known := true
	o.eachRef(func(_ nameTable, _, offset, length uint32) {
		if offset < uint32(objectHeaderSize) || uint64(offset)+uint64(length) > uint64(o.blocks[blockAutolib]) {
			known = false
		}
	})
	if !known {
		return nil
	}
	return o
}

// eachRef calls f with each reference to a name: where it stands, and what it holds.
func (o *object) eachRef(f func(t nameTable, at, offset, length uint32)) {
	for _, t := range nameTables {
		for at := o.blocks[t.block] + t.name; at < o.blocks[t.block+1]; at += t.size {
			f(t, at, binary.LittleEndian.Uint32(o.data[at+4:]), binary.LittleEndian.Uint32(o.data[at:]))
		}
	}
}

// A twinName is a name in an object file that has that of a twin in it.
type twinName struct {
	old, new string
	refs     []uint32 // where the references to it stand
	byName   bool     // a symbol of that name is told from others by it
	keep     bool     // it is the name of something else too
}

// renameTwins renames what it may in the file's bytes, and reports whether that is
// anything.
func (o *object) renameTwins(p string) (changed bool) {
	prefix := toolchain.SymbolName(p, "")
	// Go 1.27 escapes the path a second time in names of literals that were inlined.
	names := o.twinNames(prefix, toolchain.SymbolName(strings.TrimSuffix(prefix, "."), ""))
	taken := o.taken(names)
	for offset, n := range names {
		if n.keep || n.byName && (!strings.HasPrefix(n.old, prefix+"init.") || taken[n.new] > 1) {
			continue
		}
		old := o.data[offset:][:len(n.old)]
		clear(old[copy(old, n.new):])
		for _, at := range n.refs {
			binary.LittleEndian.PutUint32(o.data[at:], uint32(len(n.new)))
		}
		changed = true
	}
	return changed
}

// twinNames returns the names that begin with one of two prefixes and have that of a twin in
// them, by where they stand.
func (o *object) twinNames(prefix, other string) map[uint32]*twinName {
	names := map[uint32]*twinName{}
	o.eachRef(func(t nameTable, at, offset, length uint32) {
		name := o.data[offset:][:length]
		if !bytes.HasPrefix(name, []byte(prefix)) && !bytes.HasPrefix(name, []byte(other)) {
			return
		}
		if !bytes.Contains(name, []byte(rewrite.NamePrefix)) || !twinPrefix().Match(name) {
			return
		}
		n := names[offset]
		if n == nil {
			n = &twinName{old: string(name), new: string(twinPrefix().ReplaceAll(name, nil))}
			names[offset] = n
		}
		n.refs = append(n.refs, at)
		n.byName = n.byName || t.symbols == byName
		n.keep = n.keep || t.symbols == 0 || n.old != string(name)
	})
	return names
}

// taken returns of how many symbols that are told by their names each new name would be.
func (o *object) taken(names map[uint32]*twinName) map[string]int {
	taken := map[string]int{}
	for _, n := range names {
		taken[n.new] = 0
	}
	for _, n := range names {
		if n.byName {
			taken[n.new]++
		}
	}
	if len(names) == 0 {
		return taken
	}
	o.eachRef(func(t nameTable, _, offset, length uint32) {
		if t.symbols != byName {
			return
		}
		name := o.data[offset:][:length]
		if count, ok := taken[string(name)]; ok {
			taken[string(name)] = count + 1
		}
	})
	return taken
}
