// Running hitrt. It is not linked into scavenger-wrap. What a command needs of it is done
// by a small program that is built from the embedded source, and kept in $GOCACHE.

package command

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"go.uber.org/zap/zapcore"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/link"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
)

// runHitrt runs the program with arguments that hitrtMain knows. The program writes an
// object for each step of its work, and runHitrt calls say with it.
func (cmd *commands) runHitrt(settings map[string]string, args []string, say func(step, outcome, detail, advice string)) error {
	dir, err := os.MkdirTemp("", "scavenger-wrap-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	exe := filepath.Join(dir, "main.exe")
	if err := cmd.buildHitrt(dir, exe); err != nil {
		return err
	}
	baked, err := json.Marshal(settings)
	if err != nil {
		return err
	}
	run := exec.Command(exe, args...)
	run.Stdin = bytes.NewReader(baked)
	run.Stderr = cmd.stderr
	out, err := run.StdoutPipe()
	if err == nil {
		err = run.Start()
	}
	if err != nil {
		return err
	}
	var decodeErr error
	for dec := json.NewDecoder(out); decodeErr == nil && dec.More(); {
		var s struct{ Step, Outcome, Detail, Advice string }
		if decodeErr = dec.Decode(&s); decodeErr == nil {
			say(s.Step, s.Outcome, s.Detail, s.Advice)
		}
	}
	return errors.Join(decodeErr, run.Wait())
}

// buildHitrt writes the program to exe. It is kept from command to command, as the link
// alone takes a second.
func (cmd *commands) buildHitrt(dir, exe string) error {
	sum, err := cmd.writeHitrt(dir)
	if err != nil {
		return err
	}
	env := append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOOS=", "GOARCH=", "CGO_ENABLED=0", "PWD="+dir)
	goEnv := exec.Command("go", slices.Concat([]string{"env", "GOCACHE", "GOVERSION", "GOROOT", "GOFLAGS"}, link.CodeGeneration)...)
	goEnv.Dir, goEnv.Env = dir, env
	values, err := goEnv.Output()
	if err != nil {
		return fmt.Errorf("go env: %w", err)
	}
	cache, _, _ := strings.Cut(string(values), "\n")
	kept := ""
	if cache = strings.TrimSpace(cache); filepath.IsAbs(cache) {
		key := sha256.Sum256(append(values, sum...))
		kept = filepath.Join(cache, "scavenger", fmt.Sprintf("program-%x", key[:16]))
	}
	if link.TakeKept(kept, exe) && os.Chmod(exe, 0o700) == nil {
		return nil
	}
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", exe, ".")
	build.Dir, build.Env = dir, env
	cmd.log.log(zapcore.DebugLevel, "run", stringField("command", strings.Join(build.Args, " ")), stringField("dir", dir))
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, bytes.TrimSpace(out))
	}
	link.Keep(kept, exe)
	return nil
}

// hitrtMain is the program. It reads the settings from standard input, because other
// users can see a command line.
const hitrtMain = registry.GeneratedHeader + `package main

import (
	"io"
	"os"

	"` + registry.HitrtPath + `"
)

func main() {
	settings, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	switch os.Args[1] {
	case "check":
		hitrt.Check(os.Stdout, string(settings))
	case "publish":
		keep, all := os.Args[3] == "true", os.Args[4] == "true"
		hitrt.PublishDir(os.Stdout, string(settings), os.Args[2], keep, all)
	}
}
`

// writeHitrt writes the program's source and returns its checksum.
func (cmd *commands) writeHitrt(dir string) (sum []byte, err error) {
	h := sha256.New()
	write := func(name string, text []byte) error {
		fmt.Fprintf(h, "%s %x\n", name, sha256.Sum256(text))
		return os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), text, 0o666)
	}
	err = fs.WalkDir(cmd.sources, "hitrt", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return os.Mkdir(filepath.Join(dir, filepath.FromSlash(name)), 0o777)
		case strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(cmd.sources, name)
		if err != nil {
			return err
		}
		return write(name, text)
	})
	err = errors.Join(err, write("go.mod", []byte("module "+modulePath+"\n\ngo 1.24\n")), write("main.go", []byte(hitrtMain)))
	return h.Sum(nil), err
}
