// The format of local files. In dataDir, "codebase-<fingerprint>.json" lists the
// functions of a program, once for all of its processes, and "process-<uuid>.hits" holds
// what one process called:
//
//	0        "SCAVHIT1"
//	8        length L of the header, 4 bytes
//	12       CRC-32 (IEEE) of the header, 4 bytes
//	16       header, JSON, L bytes; zeros up to S, a multiple of 4096
//	S + 8*i  stamp of function i: 1 = never called so far, or the Unix
//	         milliseconds of the last time that a hit was seen
//
// and in format 2, that is, if the marks are mapped (mapping.go), also
//
//	P + 4*i  place of the mark of function i: its offset in the file, 0 if the
//	         function is not observable; their CRC-32 is in the header
//	M        the pages of the marks, a multiple of 4096: a byte that is not 0 is
//	         a hit whose stamp has not been written yet
//
// S, P, M and the size of the file are in the header. Numbers are little endian. A file
// appears complete or not at all, and is then written in place, whole stamps at a time,
// so that it is valid at whatever instant the process ends. All of its blocks are
// written at first: a store into a mapped hole of a full disk would end the program.
//
// The process locks its file for as long as it lives. So whoever gets the lock knows
// that the process has ended, even if its process ID is in use again. The header says
// if there is no lock, as on some network file systems.

package hitrt

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"io"
	"os"
)

const (
	pageSize  = 4096
	stampSize = 8
	placeSize = 4
	neverHit  = 1

	codebaseFormat = 1
	stampsFormat   = 1 // a process's file without marks
	marksFormat    = 2 // a process's file with marks
)

// A layout holds the offsets of the parts of the process's file.
type layout struct {
	pages  []pageRange // of the marks, by package; nil if there are none in the file
	stamps int64       // S
	places int64       // P
	marks  int64       // M
	size   int64
}

// processHeader is the header of a process's file.
type processHeader struct {
	Format      int    `json:"format"`
	Fingerprint string `json:"fingerprint"`
	Functions   int    `json:"functions"`
	Stamps      int64  `json:"stamps"`
	Places      int64  `json:"places,omitempty"`
	PlacesCRC   uint32 `json:"placesCrc,omitempty"`
	Marks       int64  `json:"marks,omitempty"`
	Size        int64  `json:"size"`
	Locked      bool   `json:"locked"`
	Main        string `json:"main,omitempty"`   // import path of the main package
	Module      string `json:"module,omitempty"` // and of the main module
	AppName     string `json:"appName"`
	AppVersion  string `json:"appVersion"`
	Environment string `json:"environment"`
	Hostname    string `json:"hostname"`
	Process     string `json:"process"`
	PID         int    `json:"pid"`
	StartedAt   int64  `json:"startedAt"`
}

// codebaseHeader is the first line of a codebase file.
type codebaseHeader struct {
	Format      int    `json:"format"`
	Fingerprint string `json:"fingerprint"`
	Functions   int    `json:"functions"`
}

// codebaseFunction is a function's line in a codebase file.
type codebaseFunction struct {
	Package   string `json:"package"`
	Receiver  string `json:"receiver,omitempty"`
	Name      string `json:"name"`
	Signature string `json:"signature"`
	Hash      string `json:"hash"`
	File      string `json:"file"`
	Line      int    `json:"line"`
	Reason    string `json:"reason,omitempty"`
}

// writeProcess writes the process's file part by part, without building all of it
// first: there may be megabytes, and the program waits.
func (d *dataFile) writeProcess(w io.Writer, locked bool) error {
	head, err := d.header(locked)
	if err != nil {
		return err
	}
	l := &d.layout
	start := make([]byte, l.stamps)
	copy(start, "SCAVHIT1")
	binary.LittleEndian.PutUint32(start[8:], uint32(len(head)))
	binary.LittleEndian.PutUint32(start[12:], crc32.ChecksumIEEE(head))
	copy(start[16:], head)
	if _, err := w.Write(start); err != nil {
		return err
	}
	for from := 0; from < len(d.stamps); from += pageSize {
		page := d.stamps[from:min(from+pageSize, len(d.stamps))]
		if !d.filled.has(from / pageSize) {
			page = d.never[:len(page)]
		}
		if _, err := w.Write(page); err != nil {
			return err
		}
	}
	if l.pages == nil {
		return nil
	}
	if err := d.writePlaces(w); err != nil {
		return err
	}
	zeros := make([]byte, pageSize)
	for left := l.size - l.places - int64(placeSize*d.functions); left > 0; left -= pageSize {
		if _, err := w.Write(zeros[:min(left, pageSize)]); err != nil {
			return err
		}
	}
	return nil
}

// header completes the layout and returns the header, which contains it.
func (d *dataFile) header(locked bool) (head []byte, err error) {
	set := d.p.set
	h := processHeader{
		Format: stampsFormat, Fingerprint: d.fingerprint, Functions: d.functions, Locked: canLock && locked,
		Main: d.p.main, Module: mainModule(), AppName: set.appName, AppVersion: set.appVersion, Environment: set.environment, Hostname: set.hostname,
		Process: d.p.process, PID: os.Getpid(), StartedAt: unixMillis(d.p.started),
	}
	l := &d.layout
	for l.stamps = pageSize; ; l.stamps += pageSize {
		l.places = l.stamps + int64(len(d.stamps))
		l.size = l.places
		if l.pages != nil {
			l.marks = (l.places + int64(placeSize*d.functions) + pageSize - 1) &^ (pageSize - 1)
			l.size = l.marks
			for _, r := range l.pages {
				l.size += int64(r.size)
			}
			sum := crc32.NewIEEE()
			_ = d.writePlaces(sum)
			h.Format, h.Places, h.PlacesCRC, h.Marks = marksFormat, l.places, sum.Sum32(), l.marks
		}
		h.Stamps, h.Size = l.stamps, l.size
		head, err = json.Marshal(h)
		if err != nil || int64(16+len(head)) < l.stamps {
			return head, err
		}
	}
}

// writePlaces writes the offset in the file of each function's mark. It is called
// twice: the checksum of the offsets comes before them in the file.
func (d *dataFile) writePlaces(w io.Writer) error {
	var places []byte // of one package
	offset := d.layout.marks
	for i, r := range d.layout.pages {
		s, first := &d.packages[i], uint32(offset+int64(r.at))
		if places = places[:0]; s.stamps == nil {
			for m := range s.functions {
				places = binary.LittleEndian.AppendUint32(places, first+uint32(m))
			}
		} else {
			places = append(places, make([]byte, placeSize*s.functions)...)
			for m, at := range s.stamps {
				if at >= 0 {
					binary.LittleEndian.PutUint32(places[placeSize*(int(at)-s.first):], first+uint32(m))
				}
			}
		}
		if _, err := w.Write(places); err != nil {
			return err
		}
		offset += int64(r.size)
	}
	return nil
}
