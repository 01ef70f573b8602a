package hitrt

// Local files. In dataDir, "codebase-<fingerprint>.json" lists the functions of
// a program, once for all of its processes, and "process-<uuid>.hits" has what
// one process called:
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
//	M        marks and what is around them, a multiple of 4096: a byte that is
//	         not 0 is a hit whose stamp has not been written yet
//
// S, P, M and the size of the file are in the header. Numbers are little endian.
// A file appears complete or not at all, and is then written in place, whole
// stamps at a time, so that whatever instant the process ends at leaves a valid
// file. All of its blocks are written at first: a store into a mapped hole of a
// full disk would end the program.
//
// The process holds a lock on its file for as long as it lives. So whoever gets
// the lock knows that the process is no more, whatever became of its number. The
// header says if there is no lock, as on some file systems of networks.

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
	stampsFormat   = 1 // of a process's file that has no marks
	marksFormat    = 2
)

// A layout says what is where in the process's file.
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

func (d *dataFile) writeProcess(w io.Writer, locked bool) error {
	head, places, err := d.header(locked)
	if err != nil {
		return err
	}
	start := make([]byte, d.layout.stamps)
	copy(start, "SCAVHIT1")
	binary.LittleEndian.PutUint32(start[8:], uint32(len(head)))
	binary.LittleEndian.PutUint32(start[12:], crc32.ChecksumIEEE(head))
	copy(start[16:], head)
	rest := make([]byte, d.layout.size-d.layout.places)
	copy(rest, places)
	for _, part := range [][]byte{start, d.stamps, rest} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// header returns the header and the places, and completes the layout, which is
// part of both.
func (d *dataFile) header(locked bool) (head, places []byte, err error) {
	set := d.p.set
	h := processHeader{
		Format: stampsFormat, Fingerprint: d.fingerprint, Functions: d.functions, Locked: canLock && locked,
		AppName: set.appName, AppVersion: set.appVersion, Environment: set.environment, Hostname: set.hostname,
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
			places = d.places()
			h.Format, h.Places, h.PlacesCRC, h.Marks = marksFormat, l.places, crc32.ChecksumIEEE(places), l.marks
		}
		h.Stamps, h.Size = l.stamps, l.size
		head, err = json.Marshal(h)
		if err != nil || int64(16+len(head)) < l.stamps {
			return head, places, err
		}
	}
}

// places returns where in the file each function's mark is.
func (d *dataFile) places() []byte {
	places := make([]byte, placeSize*d.functions)
	offset := d.layout.marks
	for i, r := range d.layout.pages {
		for m := range r.marks {
			if at := d.packages[i].stampOf(m); at >= 0 {
				binary.LittleEndian.PutUint32(places[placeSize*at:], uint32(offset+int64(r.at+m)))
			}
		}
		offset += int64(r.size)
	}
	return places
}
