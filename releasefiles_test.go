// What a release consists of: its archives and its image.

package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"debug/buildinfo"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// checkArchive checks that an archive of a release has what it must, with a binary for its
// platform.
func checkArchive(t *testing.T, dir, name, platform string) {
	t.Helper()
	binary, got := "scavenger-wrap", map[string]archived{}
	file := filepath.Join(dir, "dist", name+".tar.gz")
	if strings.HasPrefix(platform, "windows_") {
		binary, file = "scavenger-wrap.exe", filepath.Join(dir, "dist", name+".zip")
		readZip(t, file, got)
	} else {
		readTar(t, file, got)
	}
	for _, want := range []string{binary, "LICENSE", "THIRD-PARTY-LICENSES", "README.md", "docs/settings.md"} {
		if got[want].text == "" {
			t.Errorf("%s has no %s, but %v", filepath.Base(file), want, slices.Sorted(maps.Keys(got)))
		}
	}
	for name, f := range got {
		if !filepath.IsLocal(filepath.FromSlash(name)) || strings.Contains(name, `\`) || f.mode.Perm()&0o444 != 0o444 || (name == binary) && f.mode.Perm()&0o111 != 0o111 {
			t.Errorf("%s has %q with mode %v", filepath.Base(file), name, f.mode)
		}
	}
	info, err := buildinfo.Read(strings.NewReader(got[binary].text))
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(file), err)
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if settings["GOOS"]+"_"+settings["GOARCH"] != platform || settings["CGO_ENABLED"] != "0" || settings["-trimpath"] != "true" {
		t.Errorf("%s has a binary that is built with %v", filepath.Base(file), settings)
	}
	// What documents lead to is there too, but for our sources and directories.
	for name, f := range got {
		if !strings.HasSuffix(name, ".md") {
			continue
		}
		for _, m := range regexp.MustCompile(`\]\(([^):#\s]+)[)#]`).FindAllStringSubmatch(f.text, -1) {
			target := path.Join(path.Dir(name), m[1])
			info, err := os.Stat(target)
			if _, ok := got[target]; !ok && err == nil && !info.IsDir() && (path.Ext(target) == ".md" || strings.HasPrefix(target, "e2e/examples/")) {
				t.Errorf("%s: %s leads to %s, which is not there", filepath.Base(file), name, target)
			}
		}
	}
}

// An archived file is one of an archive.
type archived struct {
	text string
	mode os.FileMode
}

func readZip(t *testing.T, file string, files map[string]archived) {
	t.Helper()
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = archived{string(text), f.Mode()}
	}
}

func readTar(t *testing.T, file string, files map[string]archived) {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(readFile(t, file)))
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[h.Name] = archived{string(text), h.FileInfo().Mode()}
	}
}

// checkImage builds the image of a release for both platforms, where there is buildah.
func checkImage(t *testing.T, dist, binary string) {
	t.Helper()
	if _, err := exec.LookPath("buildah"); err != nil || os.Getuid() != 0 {
		t.Log("no image: there is no buildah, or not for this user")
		return
	}
	storage := t.TempDir()
	buildah := func(args ...string) string {
		args = slices.Concat([]string{"--root", filepath.Join(storage, "root"), "--runroot", filepath.Join(storage, "run"), "--storage-driver=vfs"}, args)
		out, err := exec.Command("buildah", args...).Output()
		if err != nil {
			t.Fatalf("buildah %q: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	defer buildah("umount", "--all") // or the storage cannot be removed
	for _, arch := range []string{"amd64", "arm64"} {
		buildah("build", "--isolation=chroot", "--platform=linux/"+arch, "-t", arch, "-f", "Dockerfile", dist)
		root := buildah("mount", buildah("from", "--pull-never", arch))
		names, err := filepath.Glob(filepath.Join(root, "*"))
		if err != nil || len(names) != 1 || filepath.Base(names[0]) != "scavenger-wrap" {
			t.Errorf("the image for %s has %q, %v", arch, names, err)
		} else if same := readFile(t, names[0]) == readFile(t, binary); same != (arch == runtime.GOARCH) {
			t.Errorf("the image for %s has the binary for %s: %v", arch, runtime.GOARCH, same)
		}
	}
}
