package datafile

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// readers are all that read files, by what they read.
var readers = map[string]func(path, dir string) error{
	"OpenHits": func(path, _ string) error {
		r, err := OpenHits(path)
		if err != nil {
			return err
		}
		defer r.Close()
		_, _, err = r.Processes()
		return errors.Join(r.Stamps(func(int, int64, State) {}), err)
	},
	"Merge": func(path, dir string) error { return Merge(path, filepath.Join(dir, "to"), 0, nil) },
	"Join": func(path, dir string) error {
		var failed error
		j := Joiner{Dir: dir, Wanted: func(*Identity) bool { return true }}
		j.Search()
		for j.Join(1, func(_ string, err error) { failed = err }) {
		}
		return failed
	},
	"Recover": func(path, dir string) error {
		_, err := Recover(path, dir, 0)
		return err
	},
	"ReadCodebase": func(path, _ string) error {
		file, err := Open(path, os.O_RDONLY, 0)
		if err != nil {
			return err
		}
		defer file.Close()
		if IsSealed(file) && IsSound(file) {
			return errors.New("it counts as sound")
		}
		_, err = ReadCodebase(file, "f1", func(*Function) error { return nil })
		return err
	},
}

func TestWhatIsNoRegularFile(t *testing.T) {
	for name, create := range map[string]func(path string) error{
		"pipe":      func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"link": func(path string) error {
			return errors.Join(os.WriteFile(path+".target", []byte("x"), 0o600), os.Symlink(path+".target", path))
		},
		"device":        func(path string) error { return os.Symlink("/dev/zero", path) },
		"device itself": func(path string) error { return syscall.Mknod(path, syscall.S_IFCHR|0o600, 1<<8|5) },
	} {
		for reader, use := range readers {
			dir := t.TempDir()
			path := filepath.Join(dir, "hits-0123456789abcdef-x.hits")
			if err := errors.Join(os.Mkdir(filepath.Join(dir, "to"), 0o700), create(path)); errors.Is(err, syscall.EPERM) {
				continue // only root makes devices
			} else if err != nil {
				t.Fatal(err)
			}
			if err := use(path, dir); !errors.Is(err, ErrNotRegular) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s of a %s: %v", reader, name, err)
			}
		}
		s := newStore(t, 1)
		if err := create(s.Path()); err != nil {
			continue
		}
		if _, err := s.Update(&Update{}); !errors.Is(err, ErrNotRegular) {
			t.Errorf("update of a %s: %v", name, err)
		}
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// sealed returns the beginning of a file with a header.
func sealed(t testing.TB, magic string, header any) []byte {
	t.Helper()
	head, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, preamble+len(head))
	putPreamble(b, magic, head)
	return b
}

// A file may say that it is as large as files can be, and be large without having data.
func TestHugeFiles(t *testing.T) {
	const functions, size = 1 << 17, 1 << 40
	id := newStore(t, functions).Identity
	stamps := int64(functions * stampSize)
	const process = "00000000-0000-4000-8000-000000000001"
	taken := int64(functions*rangeSize + 3*pageSize)
	taken &^= pageSize - 1
	files := map[string][]byte{
		"hits":             sealed(t, hitsMagic, Header{Format: 3, Identity: id, Stamps: pageSize, Records: pageSize + stamps}),
		"hits without end": sealed(t, hitsMagic, Header{Format: 3, Identity: id, Stamps: 1 << 62, Records: 1<<62 + stamps}),
		"old 1":            sealed(t, oldMagic, oldHeader{Format: 1, Identity: id, Stamps: pageSize, Locked: true, Process: process}),
		"old 2": sealed(t, oldMagic, oldHeader{Format: 2, Identity: id, Stamps: pageSize, Locked: true, Process: process,
			Places: pageSize + stamps, Marks: size - pageSize, Size: size}),
		"old 2 beyond": sealed(t, oldMagic, oldHeader{Format: 2, Identity: id, Stamps: 1<<63 - 1, Locked: true, Process: process,
			Places: 1<<63 - 1, Marks: 1<<63 - 1, Size: size}),
		"marks": sealed(t, marksMagic, MarksHeader{Format: 3, Identity: id, Process: process, Ranges: functions,
			State: taken - pageSize, Taken: taken, Cells: taken + functions, Size: size}),
		"codebase":  []byte(`{"format":1,"fingerprint":"f1","functions":3}` + "\n"),
		"long line": append([]byte(`{"format":1,"fingerprint":"f1","functions":3}`+"\n"), strings.Repeat("x", maxLine+5)...),
	}
	for name, start := range files {
		for reader, use := range readers {
			t.Run(name+"/"+reader, func(t *testing.T) {
				dir := t.TempDir()
				if err := os.Mkdir(filepath.Join(dir, "to"), 0o700); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(dir, "hits-0123456789abcdef-x.hits")
				if err := errors.Join(os.WriteFile(path, start, 0o600), os.Truncate(path, size)); err != nil {
					t.Skip(err)
				}
				info, err := os.Stat(path)
				if st := info.Sys().(*syscall.Stat_t); err != nil || st.Blocks*512 > 16<<20 {
					t.Skip("the file system has no sparse files")
				}
				const most = 8 << 20
				if got := allocated(func() { err = use(path, dir) }); got > most {
					t.Errorf("%d bytes allocated, want at most %d", got, most)
				}
				if err == nil && reader != "Join" { // which leaves what may be of a living process
					t.Error("no error")
				}
			})
		}
	}
}

// Ranges of cells may overlap. Each function has one cell.
func TestOverlappingRanges(t *testing.T) {
	s := newStore(t, 1000)
	h := &MarksHeader{Identity: s.Identity, Process: uuid(1), Directory: s.Directory()}
	ranges := make([]Range, 1000)
	for i := range ranges {
		ranges[i].Count = 1000
	}
	head, err := h.Encode(ranges, pageSize)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.marks")
	if err := errors.Join(os.WriteFile(path, head, 0o600), os.Truncate(path, h.Size)); err != nil {
		t.Fatal(err)
	}
	if _, err := Recover(path, s.Dir, 0); err == nil || !strings.Contains(err.Error(), "1000000 cells") {
		t.Errorf("error %v", err)
	}
}

// What a header says becomes no part of a path.
func TestNamesWithSeparators(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "a", "b")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := newStore(t, 20)
	s.Dir = dir
	id := &s.Identity
	for _, field := range []*string{&id.Fingerprint, &id.Main, &id.Module, &id.AppName, &id.AppVersion, &id.Environment, &id.Hostname} {
		*field = "../../../x/\x00/.."
	}
	update(t, s, &Update{Calls: calls(map[int]int64{1: now})})
	p := newProcess(1)
	p.UUID = "../../x"
	path := filepath.Join(dir, "x.marks")
	writeMarks(t, path, s, p, []int{1}, nil)
	if _, err := Recover(path, dir, 0); err == nil {
		t.Error("a process that is no UUID is believed")
	}
	for _, fingerprint := range []string{"../x", "", "a/b", `a\b`, "c:d"} {
		if _, err := OpenCodebase(dir, fingerprint, -1); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("codebase %q: %v", fingerprint, err)
		}
	}
	for _, above := range []string{root, filepath.Join(root, "a")} {
		if entries, _ := os.ReadDir(above); len(entries) != 1 {
			t.Errorf("%s has %d entries, want 1", above, len(entries))
		}
	}
}

// Root moves nothing into a user's files that another one wrote.
func TestFilesOfOtherUsers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	s, p := newStore(t, 20), newProcess(1)
	s.Identity.UID = 12345
	path := filepath.Join(t.TempDir(), "x.marks")
	writeMarks(t, path, s, p, []int{1}, nil)
	if err := os.Chown(path, 54321, -1); err != nil {
		t.Skip(err)
	}
	if _, err := Recover(path, s.Dir, 0); err == nil || exists(s.Path()) {
		t.Errorf("user 54321 speaks for user 12345: %v", err)
	}
	if err := os.Chown(path, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := Recover(path, s.Dir, 0); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(s.Path())
	if err != nil || Owner(info) != 12345 {
		t.Errorf("the hits file belongs to %d (%v), want 12345", Owner(info), err)
	}
}
