// Running hitrt. It is not linked into scavenger-wrap. What a command needs of it is done
// by a small program that is built from the embedded source.

package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"go.uber.org/zap/zapcore"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
)

// runHitrt builds and runs a program that makes one call of hitrt. call is an expression
// in Go, in which the variable settings holds the settings as JSON. The program writes an
// object for each step of its work, and runHitrt calls say with it.
func (cmd *commands) runHitrt(call string, settings map[string]string, args []string, say func(step, outcome, detail, advice string)) error {
	dir, err := os.MkdirTemp("", "scavenger-wrap-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := cmd.writeHitrt(dir, call); err != nil {
		return err
	}
	exe := filepath.Join(dir, "main.exe")
	build := exec.Command("go", "build", "-o", exe, ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOOS=", "GOARCH=", "CGO_ENABLED=0", "PWD="+dir)
	cmd.log.log(zapcore.DebugLevel, "run", stringField("command", strings.Join(build.Args, " ")), stringField("dir", dir))
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, bytes.TrimSpace(out))
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
	%s
}
`

func (cmd *commands) writeHitrt(dir, call string) error {
	err := fs.WalkDir(cmd.sources, "hitrt", func(name string, d fs.DirEntry, err error) error {
		to := filepath.Join(dir, filepath.FromSlash(name))
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return os.Mkdir(to, 0o777)
		case strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(cmd.sources, name)
		if err != nil {
			return err
		}
		return os.WriteFile(to, text, 0o666)
	})
	return errors.Join(
		err,
		os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module "+modulePath+"\n\ngo 1.24\n"), 0o666),
		os.WriteFile(filepath.Join(dir, "main.go"), fmt.Appendf(nil, hitrtMain, call), 0o666),
	)
}
