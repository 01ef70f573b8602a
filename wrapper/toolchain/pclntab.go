// The names of the functions in a binary.
//
// The runtime has them for its stack traces, so the linker leaves them in stripped binaries,
// too. They are in the pclntab, of which internal/abi/symtab.go and runtime/symtab.go have
// the layout, the same one from Go 1.20 to 1.27: a header, then one name behind the other,
// each with a zero byte at its end. Functions that were inlined are among them.

package toolchain

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// pclntabMagic begins the pclntab of Go 1.20 to 1.27.
const pclntabMagic = 0xfffffff1

// FunctionNames returns the name of each function that a binary has code of, in a function
// of its own or inlined in others. data is the file, of any platform.
//
// The pclntab is looked for by its first bytes, as not every format has a section for it.
// Each place that looks like one counts: a name too many says only that a function may be
// there.
func FunctionNames(data []byte) ([]string, error) {
	var names []string
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		magic := make([]byte, 6) // two zero bytes follow
		order.PutUint32(magic, pclntabMagic)
		for rest := data; ; {
			i := bytes.Index(rest, magic)
			if i < 0 {
				break
			}
			for name := range bytes.SplitSeq(nameTable(rest[i:], order), []byte{0}) {
				if len(name) > 0 {
					names = append(names, string(name))
				}
			}
			rest = rest[i+1:]
		}
	}
	if len(names) == 0 {
		return nil, errors.New("no table of functions in it: it is no program of Go 1.20 to 1.27, or is compressed")
	}
	return names, nil
}

// nameTable returns the names in a pclntab, nil if it is none.
func nameTable(tab []byte, order binary.ByteOrder) []byte {
	if len(tab) < 8 {
		return nil
	}
	quantum, size := tab[6], int(tab[7])
	if quantum != 1 && quantum != 2 && quantum != 4 || size != 4 && size != 8 {
		return nil
	}
	// Functions, files, unused, and the offsets of names, units, files and two tables more.
	var words [8]uint64
	for i := range words {
		at := 8 + i*size
		switch {
		case len(tab) < at+size:
			return nil
		case size == 8:
			words[i] = order.Uint64(tab[at:])
		default:
			words[i] = uint64(order.Uint32(tab[at:]))
		}
	}
	names, units := words[3], words[4]
	if words[0] == 0 || names < uint64(8+8*size) || units <= names || units > words[5] || words[5] > words[6] || words[6] > words[7] || units > uint64(len(tab)) {
		return nil
	}
	// Text in which the magic occurs by chance has no names of the runtime behind it.
	table := tab[names:units]
	if !bytes.Contains(table, []byte("runtime.")) {
		return nil
	}
	return table
}
