// Programs with a workload: real input, the same each time, on which they call a
// good part of their functions.

package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// A Target is a program to run under the oracle.
type Target struct {
	Module   string   // "example.com/mod@v1.2.3"
	Packages []string // its main packages
	// Run drives the binaries, which stand in the directory bin under the last
	// elements of Packages, with additional environment variables, until all
	// processes have ended. scratch is an empty directory.
	Run func(ctx context.Context, bin, scratch string, env []string) error
}

// LookUp returns the target of that name.
func LookUp(name string) (Target, error) {
	switch name {
	case "age":
		return Target{"filippo.io/age@v1.3.2", []string{"./cmd/age", "./cmd/age-keygen"}, runAge}, nil
	case "caddy":
		return Target{"github.com/caddyserver/caddy/v2@v2.11.9", []string{"./cmd/caddy"}, runCaddy}, nil
	}
	return Target{}, fmt.Errorf("unknown program %q; known are age and caddy", name)
}

// BuildInto builds the target's binaries into the directory bin.
func (t Target) BuildInto(ctx context.Context, p *Program, bin string, flags ...string) error {
	if err := os.MkdirAll(bin, 0o777); err != nil {
		return err
	}
	args := append(slices.Clip(flags), "-o", bin+string(os.PathSeparator))
	return p.Build(ctx, append(args, t.Packages...)...)
}

// runAge encrypts and decrypts with age, and lets it fail too.
func runAge(ctx context.Context, bin, scratch string, env []string) error {
	plain := bytes.Repeat([]byte("a line of the text to be encrypted\n"), 5000)
	files := map[string][]byte{"plain": plain, "recipients": nil}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(scratch, name), text, 0o666); err != nil {
			return err
		}
	}
	steps := []struct {
		fails bool
		args  []string
	}{
		{false, []string{"age-keygen", "-o", "key"}},
		{false, []string{"age-keygen", "-y", "-o", "pub", "key"}},
		{false, []string{"age-keygen", "-pq", "-o", "pqkey"}},
		{false, []string{"age", "-R", "pub", "-o", "crypt", "plain"}},
		{false, []string{"age", "-d", "-i", "key", "-o", "plain2", "crypt"}},
		{false, []string{"age", "-a", "-R", "pub", "-o", "armored", "plain"}},
		{false, []string{"age", "-d", "-i", "key", "-o", "plain3", "armored"}},
		{false, []string{"age", "-e", "-i", "pqkey", "-o", "pqcrypt", "plain"}},
		{false, []string{"age", "-d", "-i", "pqkey", "-o", "plain4", "pqcrypt"}},
		{true, []string{"age", "-d", "-i", "pqkey", "crypt"}},
		{true, []string{"age", "-d", "-i", "key", "plain"}},
		{true, []string{"age", "-R", "recipients", "plain"}},
		{true, []string{"age", "-r", "age1wrong", "plain"}},
		{false, []string{"age", "--version"}},
	}
	for _, step := range steps {
		cmd := exec.CommandContext(ctx, filepath.Join(bin, step.args[0]+ExeSuffix()), step.args[1:]...)
		cmd.Dir, cmd.Env = scratch, append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		failed := errors.As(err, &exit)
		if err != nil && !failed {
			return fmt.Errorf("%q: %w", step.args, err)
		}
		if failed != step.fails {
			return fmt.Errorf("%q: status %d\n%s", step.args, cmd.ProcessState.ExitCode(), out)
		}
	}
	for _, name := range []string{"plain2", "plain3", "plain4"} {
		got, err := os.ReadFile(filepath.Join(scratch, name))
		if err != nil {
			return err
		}
		if !bytes.Equal(got, plain) {
			return fmt.Errorf("%s differs from what was encrypted", name)
		}
	}
	return nil
}

// RunCovered builds the target with -cover, runs its workload, and returns for
// each function whether it was executed. All files go below dir.
func (t Target) RunCovered(ctx context.Context, p *Program, dir string) (map[Function]bool, error) {
	bin, scratch, data := filepath.Join(dir, "bin"), filepath.Join(dir, "scratch"), filepath.Join(dir, "data")
	for _, d := range []string{scratch, data} {
		if err := os.MkdirAll(d, 0o777); err != nil {
			return nil, err
		}
	}
	if err := t.BuildInto(ctx, p, bin, "-cover", "-covermode=set", "-coverpkg=./..."); err != nil {
		return nil, err
	}
	if err := t.Run(ctx, bin, scratch, []string{"GOCOVERDIR=" + data}); err != nil {
		return nil, err
	}
	return p.Covered(ctx, data)
}
