package lean

import (
	"path/filepath"
	"testing"
)

func TestPaths(t *testing.T) {
	for _, test := range []struct{ file, dir, base, work string }{
		{"/tmp/go-build1/b001/_pkg_.a", "/tmp/go-build1/b001", "_pkg_.a", "/tmp/go-build1"},
		{"/tmp/go-build1/b001/scavenger/x", "/tmp/go-build1/b001/scavenger", "x", "/tmp/go-build1"},
		{"/go-build1/b001/x", "/go-build1/b001", "x", "/go-build1"},
		{"/tmp/go-build1/go-build2/b001/x", "/tmp/go-build1/go-build2/b001", "x", "/tmp/go-build1/go-build2"},
		{"go-build1/b001/x", "go-build1/b001", "x", "go-build1"},
		{"./go-build1/x", "./go-build1", "x", "./go-build1"},
		{"b001/x", "b001", "x", ""},
		{"/tmp/b001/go-build1", "/tmp/b001", "go-build1", ""}, // a file
		{"go-build1", "", "go-build1", ""},
		{"/x", "", "x", ""},
		{"x", "", "x", ""},
		{"dir/", "dir", "", ""},
		{"", "", "", ""},
	} {
		file := filepath.FromSlash(test.file)
		if got := Dir(file); got != filepath.FromSlash(test.dir) {
			t.Errorf("Dir(%q) = %q, want %q", file, got, test.dir)
		}
		if got := Base(file); got != test.base {
			t.Errorf("Base(%q) = %q, want %q", file, got, test.base)
		}
		if got := WorkDirectory(file); got != filepath.FromSlash(test.work) {
			t.Errorf("WorkDirectory(%q) = %q, want %q", file, got, test.work)
		}
	}
}
