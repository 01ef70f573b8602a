// ko and goreleaser themselves, and builds for other platforms. They compile standard
// libraries, and the tools.

package examples

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// testedVersion is the version of a tool that docs/building.md says was tested.
func testedVersion(t *testing.T, tool string) string {
	t.Helper()
	row := regexp.MustCompile(`(?m)^\| ` + tool + ` \| .* \| ` + tool + ` (\d[\d.]*)`).FindStringSubmatch(readFile(t, "../../docs/building.md"))
	if row == nil {
		t.Fatalf("docs/building.md does not say which %s was tested", tool)
	}
	return "v" + row[1]
}

// checkProgram checks that a file is a program for a platform with the marks of the example.
func checkProgram(t *testing.T, platform string, program []byte) {
	t.Helper()
	r := bytes.NewReader(program)
	var got any
	switch f, err := elf.NewFile(r); {
	case err == nil:
		got = f.Machine
	default:
		if f, err := macho.NewFile(r); err == nil {
			got = f.Cpu
		} else if f, err := pe.NewFile(r); err == nil {
			got = f.Machine
		}
	}
	want := map[string]any{"linux/amd64": elf.EM_X86_64, "linux/arm64": elf.EM_AARCH64, "darwin/arm64": macho.CpuArm64,
		"windows/amd64": uint16(pe.IMAGE_FILE_MACHINE_AMD64), "windows/arm64": uint16(pe.IMAGE_FILE_MACHINE_ARM64)}[platform]
	if got != want {
		t.Errorf("the program for %s is for %v, want %v", platform, got, want)
	}
	for _, part := range []string{"_scavenger_", "scavenger-wrap/hitrt.Register"} {
		if !bytes.Contains(program, []byte(part)) {
			t.Errorf("the program for %s has no %s", platform, part)
		}
	}
}

// checkPrograms checks the programs of all platforms and runs the one for this machine.
func checkPrograms(t *testing.T, programs map[string][]byte, platforms ...string) {
	t.Helper()
	for _, platform := range platforms {
		checkProgram(t, platform, programs[platform])
	}
	host := runtime.GOOS + "/" + runtime.GOARCH
	if len(programs) != len(platforms) || programs[host] == nil {
		t.Fatalf("there are %d programs, want those of %q", len(programs), platforms)
	}
	app := filepath.Join(t.TempDir(), "app")
	if err := os.WriteFile(app, programs[host], 0o777); err != nil {
		t.Fatal(err)
	}
	runAndReport(t, app, false)
}

// The platforms of the Dockerfile and of developers' machines, by both ways.
func TestHeavyPlatforms(t *testing.T) {
	program.Heavy(t)
	for _, way := range [][]string{{"go", "build", "-toolexec=" + built.File(t)}, {built.File(t), "go", "build"}} {
		programs := map[string][]byte{}
		platforms := []string{"linux/amd64", "linux/arm64", "darwin/arm64", "windows/amd64", "windows/arm64"}
		for _, platform := range platforms {
			dir := newModule(t)
			system, arch, _ := strings.Cut(platform, "/")
			run(t, dir, []string{"GOOS=" + system, "GOARCH=" + arch, "CGO_ENABLED=0"}, slices.Concat(way, []string{"-o", "app.bin", "./cmd/app"})...)
			programs[platform] = []byte(readFile(t, filepath.Join(dir, "app.bin")))
		}
		checkPrograms(t, programs, platforms...)
	}
}

func TestHeavyGoreleaser(t *testing.T) {
	program.Heavy(t)
	dir := newModule(t, "goreleaser/goreleaser.yaml")
	config := filepath.Join(dir, "goreleaser.yaml")
	if err := os.Rename(config, filepath.Join(dir, ".goreleaser.yaml")); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"},
		{"-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "commit.gpgsign=false", "commit", "-q", "-m", "m"}, {"tag", "v1.0.0"}} {
		run(t, dir, nil, append([]string{"git"}, args...)...)
	}
	run(t, dir, []string{"GOCMD=" + installGo(t)},
		"go", "run", "github.com/goreleaser/goreleaser/v2@"+testedVersion(t, "goreleaser"), "build", "--snapshot", "--clean")
	programs := map[string][]byte{}
	for _, arch := range []string{"amd64", "arm64"} {
		names, err := filepath.Glob(filepath.Join(dir, "dist", "app_linux_"+arch+"_*", "app"))
		if err != nil || len(names) != 1 {
			t.Fatalf("for %s there are %q, %v", arch, names, err)
		}
		programs["linux/"+arch] = []byte(readFile(t, names[0]))
	}
	checkPrograms(t, programs, "linux/amd64", "linux/arm64")
}

// ko builds the image on a base without files, from a registry in this process, and leaves it
// in a directory.
func TestHeavyKo(t *testing.T) {
	program.Heavy(t)
	dir := newModule(t, "ko/ko.yaml")
	if err := os.Rename(filepath.Join(dir, "ko.yaml"), filepath.Join(dir, ".ko.yaml")); err != nil {
		t.Fatal(err)
	}
	registry := httptest.NewServer(emptyBase(t))
	defer registry.Close()
	run(t, dir, []string{"KO_GO_PATH=" + installGo(t), "KO_DOCKER_REPO=registry.example.com/app",
		"KO_DEFAULTBASEIMAGE=" + strings.Replace(registry.URL, "http://127.0.0.1", "localhost", 1) + "/base"},
		"go", "run", "github.com/google/ko@"+testedVersion(t, "ko"), "build", "--push=false", "--oci-layout-path=image", "./cmd/app")
	l := layout{t: t, dir: filepath.Join(dir, "image")}
	programs := map[string][]byte{}
	for _, image := range l.manifest(filepath.Join(l.dir, "index.json")).Manifests {
		for _, m := range l.manifest(l.blob(image.Digest)).Manifests {
			for _, layer := range l.manifest(l.blob(m.Digest)).Layers {
				if text := l.file(layer.Digest, "/ko-app/app"); text != nil {
					programs[m.Platform.OS+"/"+m.Platform.Architecture] = text
				}
			}
		}
	}
	checkPrograms(t, programs, "linux/amd64", "linux/arm64")
}

// A layout is a directory with images, as the OCI image specification has it.
type layout struct {
	t   *testing.T
	dir string
}

// A manifest is what the test needs of an index or of an image's manifest.
type manifest struct {
	Manifests, Layers []struct {
		Digest   string
		Platform struct{ OS, Architecture string }
	}
}

func (l layout) blob(digest string) string {
	return filepath.Join(l.dir, "blobs", strings.Replace(digest, ":", "/", 1))
}

func (l layout) manifest(file string) (m manifest) {
	l.t.Helper()
	if err := json.Unmarshal([]byte(readFile(l.t, file)), &m); err != nil {
		l.t.Fatalf("%s: %v", file, err)
	}
	return m
}

// file returns a file of a layer, nil if it is not there.
func (l layout) file(digest, name string) []byte {
	l.t.Helper()
	z, err := gzip.NewReader(strings.NewReader(readFile(l.t, l.blob(digest))))
	if err != nil {
		l.t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && h.Name == name {
			var text []byte
			if text, err = io.ReadAll(r); err == nil {
				return text
			}
		}
		if err != nil {
			l.t.Fatal(err)
		}
	}
}

// emptyBase serves an image without layers for two platforms, as a registry does.
func emptyBase(t *testing.T) http.Handler {
	t.Helper()
	const prefix = "application/vnd.oci.image."
	type blob struct {
		mediaType string
		text      []byte
	}
	blobs := map[string]blob{}
	add := func(mediaType string, v any) map[string]any {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		digest := fmt.Sprintf("sha256:%x", sha256.Sum256(text))
		blobs[digest] = blob{prefix + mediaType, text}
		return map[string]any{"mediaType": prefix + mediaType, "size": len(text), "digest": digest}
	}
	var manifests []any
	for _, arch := range []string{"amd64", "arm64"} {
		config := add("config.v1+json", map[string]any{"os": "linux", "architecture": arch, "rootfs": map[string]any{"type": "layers", "diff_ids": []string{}}})
		m := add("manifest.v1+json", map[string]any{"schemaVersion": 2, "mediaType": prefix + "manifest.v1+json", "config": config, "layers": []string{}})
		m["platform"] = map[string]string{"os": "linux", "architecture": arch}
		manifests = append(manifests, m)
	}
	index := add("index.v1+json", map[string]any{"schemaVersion": 2, "mediaType": prefix + "index.v1+json", "manifests": manifests})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := filepath.Base(r.URL.Path)
		if name == "latest" {
			name, _ = index["digest"].(string)
		}
		b, ok := blobs[name]
		if !ok && r.URL.Path != "/v2/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", b.mediaType)
		w.Header().Set("Docker-Content-Digest", name)
		w.Write(b.text) // to a HEAD net/http sends the headers alone
	})
}
