// Package plain takes the archives of packages that are not marked from the plain cache,
// so that they need not be compiled again.
//
// Our compile has a tool ID of its own. So the go command of a marked build does not find
// the packages that plain builds have left in the build cache. Yet a package that is not
// marked compiles to the same bytes in both, apart from the build ID. So the action
// copies the archive of the plain build, and writes into it the build ID that the go
// command asks for. The go command then computes the content ID, and gets that of the
// plain archive. This proves, package by package, that importers have been compiled
// against the same bytes.
//
// table.go finds the plain archives, once per build. An archive is taken only if all that
// goes into it is known to be the same. In any other case, and whenever anything fails,
// the package is compiled. wrapper/early takes it, most often before this package is even
// initialised.
//
// It may import config, wrapper/action, wrapper/early, wrapper/toolchain and
// wrapper/toolchain/lean.
package plain

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/early"
)

// TakeOrCompile does a compile action without changes: it takes the archive from the
// plain cache or becomes the tool. cfg is nil if the settings have not been read.
func TakeOrCompile(a *action.Action, cfg *config.Config) error {
	if a.ByFrontend() { // the go command itself finds plain archives
		return a.PassThrough()
	}
	err := takePlain(a, cfg)
	if err == nil {
		a.Log.Plain("")
		return nil
	}
	a.Log.Plain(err.Error())
	return a.PassThrough()
}

// takePlain writes the archive from that of the plain build, or returns why it cannot.
func takePlain(a *action.Action, cfg *config.Config) error {
	if len(a.Flags.Next) > 0 {
		return errors.New("-next may change it")
	}
	c, table, err := early.Takable(a.Args, a.ImportPath, os.Getenv)
	if err != nil {
		return err
	}
	if err := makeTable(table, a, cfg, c); err != nil {
		return err
	}
	return c.Take(table, a.ImportPath, embeddedFiles)
}

// embeddedFiles returns the files that a -embedcfg file names.
func embeddedFiles(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var cfg struct{ Files map[string]string }
	if err := json.Unmarshal(text, &cfg); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	return slices.Collect(maps.Values(cfg.Files)), nil
}

// Asm does an action of asm: it takes the object that a compile action has kept, or becomes
// asm.
func Asm(a *action.Action) error {
	if early.TakeAssembled(a.Args) {
		a.Log.Plain("")
		return nil
	}
	return a.PassThrough()
}
