// The flags of the go command that say where go.mod is. Its environment has them
// only if they are in GOFLAGS, so an action reads its command line too.

package wrapper

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/naver/scavenger/scavenger-wrap/config"
)

// moduleFlags are the names of these flags.
var moduleFlags = []string{"modfile", "overlay"}

// moduleWords returns the flags in the form in which actions take them.
func (c *goCall) moduleWords() []string {
	var words []string
	for _, name := range moduleFlags {
		if value := c.module[name]; value != "" {
			words = append(words, "-"+name+"="+value)
		}
	}
	return words
}

// goflagsIn returns the flags in GOFLAGS, with what the go command's env file has.
func goflagsIn(goFile, dir string) ([]string, error) {
	goEnv := exec.Command(goFile, "env", "GOFLAGS")
	var stderr bytes.Buffer
	goEnv.Dir, goEnv.Stderr = dir, &stderr
	out, err := goEnv.Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOFLAGS: %w\n%s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	flags, err := splitQuoted(string(out))
	if err != nil {
		return nil, fmt.Errorf("GOFLAGS: %w", err)
	}
	return flags, nil
}

// readConfig returns the settings of the build that the action is of.
func (a *action) readConfig() (*config.Config, error) {
	dir, err := a.workingDir()
	if err != nil {
		return nil, err
	}
	module := a.flags.module
	if module == nil {
		call, err := outerGoCall()
		if err != nil { // of which link speaks if it matters
			call = new(goCall)
		}
		if goflags, err := splitQuoted(os.Getenv("GOFLAGS")); err == nil {
			call.addGOFLAGS(goflags)
		}
		module = call.module
	}
	return config.Load(config.Source{Dir: dir, File: a.flags.config, Lookup: os.LookupEnv, ModFile: module["modfile"], Overlay: module["overlay"]})
}

// outerGoCall returns the command line of the go command that started this action.
func outerGoCall() (*goCall, error) {
	proc := filepath.Join("/proc", fmt.Sprint(os.Getppid()))
	program, err := os.Readlink(filepath.Join(proc, "exe"))
	if err != nil {
		return nil, err
	}
	if filepath.Base(program) != "go" {
		return nil, fmt.Errorf("started by %s, not by the go command", filepath.Base(program))
	}
	args, err := readStrings(filepath.Join(proc, "cmdline"))
	if err != nil {
		return nil, err
	}
	call, ok := splitGoCall(args[1:])
	if !ok {
		return nil, errors.New("no command that builds")
	}
	return call, nil
}
