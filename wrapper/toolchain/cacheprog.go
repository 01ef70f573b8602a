// GOCACHEPROG: a program that keeps the build cache for the go command.
//
// The go command that started us keeps one running until it ends, which is after us. A
// go command of ours starts a second one, which may wait for something that the first
// one holds, such as a lock on its store: both would wait for ever. We try with one
// small package whether it does, and limit every go command that we run under such a
// program.

package toolchain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const cacheProgVariable = "GOCACHEPROG"

const (
	// cacheProgTrial limits the listing of one package, which compiles in no time.
	cacheProgTrial = 10 * time.Second
	// cacheProgLimit limits a go command that asks the program for hundreds of
	// packages.
	cacheProgLimit = 5 * time.Minute
)

// UsesCacheProg reports whether go commands have a GOCACHEPROG. The go command
// puts it into our environment wherever it has it from.
func UsesCacheProg() bool { return os.Getenv(cacheProgVariable) != "" }

// SharesCacheProg reports whether the go command is served by a GOCACHEPROG while
// another is. The answer is kept for the actions of this build, in its work directory.
func (g GoList) SharesCacheProg(work string) bool {
	kept := ""
	if work != "" {
		kept = filepath.Join(work, "scavenger-cacheprog")
		unlock, err := Lock(kept + ".lock")
		if err != nil {
			return false
		}
		defer unlock()
		if answer, err := os.ReadFile(kept); err == nil {
			return string(answer) == "true"
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), cacheProgTrial)
	defer cancel()
	g.Flags = nil
	_, err := g.Packages(ctx, "Export", []string{"-export"}, "internal/goos")
	if kept != "" {
		_ = os.WriteFile(kept, fmt.Append(nil, err == nil), 0o666) // or the next one tries
	}
	return err == nil
}

// LimitCacheProg returns the context for a go command of ours.
func LimitCacheProg() (context.Context, context.CancelFunc) {
	if !UsesCacheProg() {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), cacheProgLimit)
}

// WithoutCacheProg returns an environment in which the go command keeps its cache
// itself. As an empty variable is none, that of the go command's env file has to
// go too: dir is where a copy without it may be put.
func WithoutCacheProg(env []string, dir string) ([]string, error) {
	env = slices.DeleteFunc(slices.Clone(env), func(v string) bool { return strings.HasPrefix(v, cacheProgVariable+"=") })
	file := os.Getenv("GOENV")
	if file == "" || file == "off" {
		return env, nil
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return env, nil
	}
	if err != nil {
		return nil, err
	}
	var kept []byte
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, cacheProgVariable+"=") {
			kept = append(kept, line...)
		}
	}
	if len(kept) == len(text) {
		return env, nil
	}
	file = filepath.Join(dir, "goenv")
	return append(env, "GOENV="+file), os.WriteFile(file, kept, 0o666)
}
