// The compile action of a main package: it imports the registry.

package compile

import (
	"fmt"
	"path/filepath"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// importRegistry compiles the stub of the registry, and adds a file to main that imports
// it. done is false if archives have a form that we do not know. That is an error unless
// the release of Go is newer than those that we know.
func (c *compilation) importRegistry() (done bool, err error) {
	stub, err := registry.CompileStub(c.Path, c.dir)
	if err != nil {
		return false, fmt.Errorf("compiling the stub of the registry: %w", err)
	}
	fingerprint, err := toolchain.ReadFingerprint(stub)
	if err != nil {
		release, err2 := toolchain.ObjectVersion(stub)
		if err2 == nil && !toolchain.NewerThanKnown(release) {
			return false, err
		}
		registry.WithoutReporting(release, err)
		return false, nil
	}
	cfg, err := c.importcfg()
	if err != nil {
		return false, err
	}
	cfg.Add(registry.Path, stub)
	cfgFile := filepath.Join(c.dir, "importcfg")
	if err := cfg.Write(cfgFile); err != nil {
		return false, err
	}
	file, err := c.write("_scavenger_main.go", []byte(registry.GeneratedHeader+"package main\n\nimport _ \""+registry.Path+"\"\n"))
	if err != nil {
		return false, err
	}
	c.metadata.Main = &registry.MainMetadata{Fingerprint: fingerprint, Flags: modeFlags(c.flags)}
	if file, ok := toolchain.FlagValue(c.flags, "-coveragecfg"); ok {
		cover, err := toolchain.ReadCoverageCfg(file)
		if err != nil {
			return false, err
		}
		c.metadata.Main.CoverMode = cover.CounterMode
	}
	c.flags = toolchain.SetFlag(c.flags, "-importcfg", cfgFile)
	c.files = append(c.files, file)
	return true, nil
}

// modeFlags returns those of compile's flags that must be the same for all packages of a
// program.
func modeFlags(flags []string) []string {
	var out []string
	for _, name := range []string{"-race", "-msan", "-asan", "-shared", "-dynlink"} {
		if toolchain.HasFlag(flags, name) {
			out = append(out, name)
		}
	}
	return out
}
