// Archives: data directories that come from a pipe, as in
//
//	kubectl exec shop -- tar c data | scavenger-wrap report -
//
// Nobody vouches for an archive. Of its names, only those of directories with data files
// are kept, for messages: each directory is unpacked into one with a number. Links are not
// followed, and what is written is bounded.

package report

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// An archiveLimit bounds what an archive may cost.
type archiveLimit struct {
	read  int64 // bytes of the archive, after decompression
	write int64 // bytes of data files
	files int
}

var errTooLarge = errors.New("it is too large: unpack it, and name the directory")

// unpack unpacks an archive into a temporary directory.
func (in *Inputs) unpack(r io.Reader) ([]source, error) {
	if in.temp != "" {
		return nil, errors.New("\"-\" is there twice: standard input has one archive")
	}
	temp, err := os.MkdirTemp("", "scavenger-report-")
	if err != nil {
		return nil, err
	}
	in.temp = temp
	u := &unpacking{dir: temp, limit: archiveLimit{read: 64 << 30, write: 4 << 30, files: 200_000}}
	if err := u.unpack(r); err != nil {
		return nil, fmt.Errorf("the archive in standard input: %w", err)
	}
	in.problems = append(in.problems, u.problems...)
	if len(u.sources) == 0 {
		return nil, fmt.Errorf("no data of a process in standard input: %s", whatToPipe)
	}
	return u.sources, nil
}

// An unpacking is an archive while it is unpacked.
type unpacking struct {
	dir      string
	limit    archiveLimit
	dirs     map[string]string // directory in the archive at hand to that below dir
	sources  []source
	problems []Problem
}

// unpack unpacks one archive or several, one behind the other, as in
//
//	cat host1.tar host2.tar | scavenger-wrap report -
func (u *unpacking) unpack(r io.Reader) error {
	in := bufio.NewReader(r)
	r = in
	if magic, _ := in.Peek(2); string(magic) == "\x1f\x8b" {
		z, err := gzip.NewReader(in)
		if err != nil {
			return err
		}
		defer z.Close()
		r = z
	}
	bounded := &io.LimitedReader{R: r, N: u.limit.read}
	for blocks := bufio.NewReader(bounded); ; {
		err := skipZeros(blocks)
		if err == nil {
			u.dirs = map[string]string{} // another archive may have files of the same names
			err = u.unpackOne(blocks)
		}
		switch {
		case bounded.N <= 0:
			return errTooLarge
		case err == io.EOF: //nolint:errorlint // none that something has wrapped is the end
			return nil
		case errors.Is(err, tar.ErrHeader):
			return fmt.Errorf("it is none that tar wrote: %s", whatToPipe)
		case errors.Is(err, gzip.ErrChecksum):
			return fmt.Errorf("it is damaged: %w", err)
		case errors.Is(err, io.ErrUnexpectedEOF):
			return fmt.Errorf("it is cut off: %w", err)
		case err != nil:
			return err
		}
	}
}

// skipZeros skips what is between archives, to the end of the input if there is no other:
// gzip has its checksum there. The error is io.EOF at the end.
func skipZeros(r *bufio.Reader) error {
	for {
		b, err := r.ReadByte()
		if err != nil {
			return err
		}
		if b != 0 {
			return r.UnreadByte()
		}
	}
}

// unpackOne unpacks an archive up to its end, which zeros mark. Without them the archive is
// cut off, be it between two files.
func (u *unpacking) unpackOne(r io.Reader) error {
	in := &endReader{r: r}
	for archive := tar.NewReader(in); ; {
		h, err := archive.Next()
		switch {
		case err == io.EOF && in.ended:
			return io.ErrUnexpectedEOF
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if err := u.add(h, archive); err != nil {
			return err
		}
	}
}

// An endReader notes whether somebody asked for more than there is.
type endReader struct {
	r     io.Reader
	ended bool
}

func (e *endReader) Read(b []byte) (int, error) {
	n, err := e.r.Read(b)
	e.ended = e.ended || err == io.EOF
	return n, err
}

// add unpacks one file, if it is a data file.
func (u *unpacking) add(h *tar.Header, content io.Reader) error {
	name := path.Join("/", h.Name)
	dir, base := path.Split(name)
	if strings.ContainsAny(base, `\:`) || !isDataName(base) && !datafile.IsMarks(base, "") {
		return nil
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse:
	case tar.TypeDir:
		return nil
	default:
		u.problems = append(u.problems, Problem{File: "-" + name, Kind: Unreadable, Err: errors.New("a link in an archive is not followed")})
		return nil
	}
	u.limit.files--
	if u.limit.files < 0 {
		return errTooLarge
	}
	to, known := u.dirs[dir]
	if !known {
		to = filepath.Join(u.dir, strconv.Itoa(len(u.sources)))
		u.dirs[dir] = to
		if err := os.Mkdir(to, 0o700); err != nil {
			return err
		}
		u.sources = append(u.sources, source{to, "-" + strings.TrimSuffix(dir, "/"), "-"})
	}
	return u.write(filepath.Join(to, base), content)
}

// write writes a file. A later one of the same name replaces it, as tar does.
func (u *unpacking) write(name string, content io.Reader) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(content, u.limit.write+1))
	u.limit.write -= n
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if u.limit.write < 0 {
		return errTooLarge
	}
	return nil
}
