//go:build linux

// A Dockerfile without Docker: its stages are directories, its RUN lines run there in order.

package examples

import (
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// An instruction is one of a Dockerfile.
type instruction struct {
	name  string
	flags []string // --mount=…
	args  string
}

var instructionFlag = regexp.MustCompile(`^(--[a-z-]+=\S+)\s+`)

// parseDockerfile splits the text of a Dockerfile into instructions: lines that end with a
// backslash go on, those that begin with # are comments.
func parseDockerfile(text string) []instruction {
	var all []instruction
	joined := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if before, ok := strings.CutSuffix(line, `\`); ok {
			joined += before
			continue
		}
		name, args, _ := strings.Cut(joined+line, " ")
		joined = ""
		i := instruction{name: name, args: strings.TrimSpace(args)}
		for {
			flag := instructionFlag.FindStringSubmatch(i.args)
			if flag == nil {
				break
			}
			i.flags = append(i.flags, flag[1])
			i.args = i.args[len(flag[0]):]
		}
		all = append(all, i)
	}
	return all
}

// flag returns the value of a flag.
func (i instruction) flag(name string) string {
	for _, flag := range i.flags {
		if value, ok := strings.CutPrefix(flag, "--"+name+"="); ok {
			return value
		}
	}
	return ""
}

// A stage is a directory that stands for an image.
type stage struct {
	base, root, workdir, user string
	entrypoint                string
	env, args, volumes        []string
}

// An image builder runs the instructions of a Dockerfile.
type imageBuilder struct {
	t        *testing.T
	contexts map[string]string // directories that COPY --from may name; "" is the main one
	caches   map[string]string // directories of the machine that stand for cache mounts
	goroot   string
	args     map[string]string
	stages   map[string]*stage
	last     *stage
}

func (b *imageBuilder) do(i instruction) {
	b.t.Helper()
	s := b.last
	switch i.name {
	case "FROM":
		words := strings.Fields(i.args)
		s = &stage{base: words[0], root: b.t.TempDir(), workdir: "/"}
		b.last = s
		if len(words) == 3 {
			b.stages[words[2]] = s
		}
	case "ARG":
		s.args = append(s.args, i.args+"="+b.args[i.args])
	case "ENV":
		s.env = append(s.env, i.args)
	case "WORKDIR":
		s.workdir = i.args
		b.check(os.MkdirAll(filepath.Join(s.root, i.args), 0o755))
	case "USER":
		s.user = i.args
	case "VOLUME":
		s.volumes = append(s.volumes, i.args)
	case "ENTRYPOINT":
		s.entrypoint = strings.Trim(i.args, `[]"`)
	case "COPY":
		b.copy(i)
	case "RUN":
		b.run(i)
	default:
		b.t.Fatalf("the test does not know the instruction %s", i.name)
	}
}

func (b *imageBuilder) check(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// copy copies files and directories as COPY does: what a pattern matches may be nothing.
func (b *imageBuilder) copy(i instruction) {
	b.t.Helper()
	from := i.flag("from")
	source, ok := b.contexts[from]
	if stage := b.stages[from]; stage != nil {
		source = stage.root
	} else if !ok {
		b.t.Fatalf("COPY --from=%s names neither a stage nor a context", from)
	}
	words := strings.Fields(i.args)
	target := words[len(words)-1]
	isDir := strings.HasSuffix(target, "/") || strings.HasSuffix(target, ".")
	target = filepath.Join(b.last.root, path.Join("/", target))
	if !path.IsAbs(words[len(words)-1]) {
		target = filepath.Join(b.last.root, b.last.workdir, words[len(words)-1])
	}
	for _, pattern := range words[:len(words)-1] {
		names, err := filepath.Glob(filepath.Join(source, pattern))
		b.check(err)
		if len(names) == 0 && !strings.Contains(pattern, "*") {
			b.t.Fatalf("COPY: there is no %s", pattern)
		}
		for _, name := range names {
			b.copyOne(name, target, isDir, i.flag("chown"))
		}
	}
}

func (b *imageBuilder) copyOne(name, target string, isDir bool, owner string) {
	b.t.Helper()
	info, err := os.Stat(name)
	b.check(err)
	if !info.IsDir() && isDir {
		target = filepath.Join(target, filepath.Base(name))
	}
	b.check(os.MkdirAll(filepath.Dir(target), 0o755))
	err = filepath.WalkDir(name, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Name() == ".git" && d.IsDir():
			return fs.SkipDir // git may be writing there
		case d.Name() == ".git": // of a worktree
			return nil
		}
		rel, err := filepath.Rel(name, file)
		if err != nil {
			return err
		}
		return copyEntry(filepath.Join(target, rel), file, d)
	})
	b.check(err)
	if owner != "" {
		uid, gid := ids(b.t, owner)
		b.check(filepath.WalkDir(target, func(file string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(file, uid, gid)
		}))
	}
}

func copyEntry(target, file string, d fs.DirEntry) error {
	if d.IsDir() {
		return os.MkdirAll(target, 0o755)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	info, err := d.Info()
	if err != nil {
		return err
	}
	return os.WriteFile(target, text, info.Mode())
}

// run runs a shell command with the stage as root directory. What golang:1.26 has comes from
// this machine: Go at the same place, a shell and its programs.
func (b *imageBuilder) run(i instruction) {
	b.t.Helper()
	s := b.last
	if !strings.HasPrefix(s.base, "golang:") {
		b.t.Fatalf("RUN in a stage from %s, which has no shell", s.base)
	}
	var script strings.Builder
	bind := func(from, to string) {
		b.check(os.MkdirAll(filepath.Join(s.root, to), 0o755))
		script.WriteString("mount --rbind '" + from + "' '" + filepath.Join(s.root, to) + "'\n")
	}
	script.WriteString("set -e\n")
	for _, dir := range []string{"/bin", "/lib", "/lib64", "/usr/bin", "/usr/lib", "/usr/lib64", "/usr/include", "/dev", "/proc"} {
		if _, err := os.Stat(dir); err == nil {
			bind(dir, dir)
		}
	}
	bind(b.goroot, "/usr/local/go")
	for _, flag := range i.flags {
		_, target, ok := strings.Cut(flag, "--mount=type=cache,target=")
		if !ok || b.caches[target] == "" {
			b.t.Fatalf("the test does not know %s", flag)
		}
		bind(b.caches[target], target)
	}
	b.check(os.MkdirAll(filepath.Join(s.root, "tmp"), 0o777))
	script.WriteString(`exec chroot "$1" sh -c "cd '$2' && $3"`)
	cmd := exec.Command("unshare", "-rm", "sh", "-c", script.String(), "sh", s.root, s.workdir, i.args)
	cmd.Env = append([]string{"PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"GOPATH=/go", "HOME=/root", "GOTOOLCHAIN=local", "GOPROXY=off"}, append(s.args, s.env...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.t.Fatalf("RUN %s: %v\n%s", i.args, err, out)
	}
}
