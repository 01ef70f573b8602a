package toolchain

import (
	"bytes"
	goversion "go/version"
	"os"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain/lean"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchaintest"
)

func TestFingerprint(t *testing.T) {
	archive := toolchaintest.CompileArchive(t, "package a\n\nfunc F() {}\n")
	want := []byte("12345678")
	if err := PatchFingerprint(archive, want); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	i, err := fingerprintOffset(data)
	if err != nil || string(data[i:i+FingerprintSize]) != string(want) {
		t.Errorf("fingerprint at %d (%v)", i, err)
	}
	if err := PatchFingerprint(archive, nil); err == nil {
		t.Error("an empty fingerprint was taken")
	}
}

func TestSymbolName(t *testing.T) {
	for p, want := range map[string]string{
		"main":               "main.x",
		"example.com/a":      "example.com/a.x",
		"gopkg.in/yaml.v3":   "gopkg.in/yaml%2ev3.x",
		"example.com/a%b\"c": "example.com/a%25b%22c.x",
		"example.com/é":      "example.com/%c3%a9.x",
	} {
		if got := SymbolName(p, "x"); got != want {
			t.Errorf("symbolName(%q) = %q, want %q", p, got, want)
		}
	}
}

// The fingerprint is where PatchFingerprint writes it: the bytes there are those that an
// importer records, and they change with what the package exports.
func TestToolchainFingerprint(t *testing.T) {
	toolchaintest.Each(t, func(tc toolchaintest.Toolchain) {
		lib := tc.Compile("example.com/lib", "package lib\n\nvar V = f()\n\nfunc f() int { return 1 }\n", nil)
		user := tc.Compile("example.com/user", "package user\n\nimport _ \"example.com/lib\"\n", map[string]string{"example.com/lib": lib})
		want, err := ReadFingerprint(lib)
		if err != nil {
			tc.Fatal(err)
		}
		if bytes.Equal(want, make([]byte, FingerprintSize)) {
			tc.Error("the fingerprint is 0")
		}
		text, err := os.ReadFile(user)
		if err != nil {
			tc.Fatal(err)
		}
		_, object, _ := bytes.Cut(text, []byte(objectMagic))
		if !bytes.Contains(object, want) {
			tc.Errorf("the importer has not recorded %x", want)
		}
		if err := PatchFingerprint(lib, []byte("12345678")); err != nil {
			tc.Fatal(err)
		}
		if got, err := ReadFingerprint(lib); err != nil || string(got) != "12345678" {
			tc.Errorf("fingerprint after patchFingerprint is %q, %v", got, err)
		}
		other := tc.Compile("example.com/lib", "package lib\n\nvar V, W = 1, 2\n", nil)
		if got, err := ReadFingerprint(other); err != nil || bytes.Equal(got, want) {
			tc.Errorf("another package of that path has fingerprint %x too, %v", got, err)
		}
	})
}

// Object files name the platform and the release.
func TestToolchainObjectHeader(t *testing.T) {
	toolchaintest.Each(t, func(tc toolchaintest.Toolchain) {
		archive := tc.Compile("example.com/lib", "package lib\n", nil)
		goos, goarch, err := ObjectTarget(archive)
		if err != nil {
			tc.Fatal(err)
		}
		release, err := ObjectVersion(archive)
		if err != nil {
			tc.Fatal(err)
		}
		got, want := goos+" "+goarch+" "+release, tc.Run("env", "GOOS")+" "+tc.Run("env", "GOARCH")+" "+tc.Run("env", "GOVERSION")
		if got != want {
			tc.Errorf("the object is for %s, want %s", got, want)
		}
		if NewerThanKnown(release) {
			tc.Errorf("%s counts as newer than what is known", release)
		}
		if id, err := lean.ContentID(archive); err != nil || id != "" {
			tc.Errorf("content ID %q, %v of an archive without build ID", id, err)
		}
	})
}

func TestNewerThanKnown(t *testing.T) {
	for release, want := range map[string]bool{
		"go1.24.11": false, "go1.26.8": false, NewestKnown: false, NewestKnown + ".3": false, NewestKnown + "rc1": false,
		"go1.99": true, "go1.99rc1": true, "go2.0": true, "": true, "devel": true,
	} {
		if got := NewerThanKnown(release); got != want {
			t.Errorf("newerThanKnown(%q) = %t, want %t", release, got, want)
		}
	}
	if !goversion.IsValid(NewestKnown) {
		t.Errorf("%s is not a version", NewestKnown)
	}
}
