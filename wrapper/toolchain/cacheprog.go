// GOCACHEPROG: a program that keeps the build cache for the go command.
//
// The go command that started us keeps such a program running until it ends itself, which
// is after us. A go command that we run starts the program a second time. The second may
// wait for something that the first holds, such as a lock on its store, and then both go
// commands wait for ever. So a go command with one small package is tried first, and
// every go command that we run with such a program has a time limit.

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

// UsesCacheProg reports whether go commands have a GOCACHEPROG. The go command sets it in
// our environment, also if it comes from the env file.
func UsesCacheProg() bool { return os.Getenv(cacheProgVariable) != "" }

// SharesCacheProg reports whether a GOCACHEPROG serves this go command while it serves
// another. The answer is kept for the other actions of the build, in its work directory.
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
		// If the answer cannot be kept, the next action tries again.
		_ = os.WriteFile(kept, fmt.Append(nil, err == nil), 0o666)
	}
	return err == nil
}

// LimitCacheProg returns the context for a go command that we run. It ends with ctx, and
// after some time if there is a GOCACHEPROG.
func LimitCacheProg(ctx context.Context) (context.Context, context.CancelFunc) {
	if !UsesCacheProg() {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, cacheProgLimit)
}

// WithoutCacheProg returns an environment in which the go command keeps its cache itself.
// If the variable is not set, the go command takes it from its env file. So if that file
// has it, the environment names a copy without it, which is written to dir.
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
