// Package early does, before most of scavenger-wrap is initialised, what needs nothing
// of it.
//
// A build starts scavenger-wrap some hundred times. Nearly each start becomes the tool at
// once, or needs a few files that an earlier start has written. Yet before main.main, Go
// initialises every package of the binary: those of the command line, of a client of HTTP
// and of a type checker, with the tables that they fill. That takes longer than all that
// such a start does.
//
// Go says in which order it initialises them: again and again, the first by import path
// among the packages whose imports are ready. So a package is early if its imports are,
// and the init function of this one runs after about thirty others of 120. Then it does
// the action and the process ends, or it returns, nothing has happened, and main.main does
// the action. It returns in every case that is not plain: with a log to write, with a flag
// that it does not know, with a response file, with a tool that cannot be started. So what
// it does is a short way to what main.main would do, and no other thing, and whoever
// deletes its init function changes nothing but the time.
//
// The price is that this package can import hardly anything. The imports of strings,
// path/filepath and encoding/json have some forty packages below them that come first
// then, and take a quarter of what is saved. With a new import that spoils the order, e2e's
// script toolexec_early fails.
//
// It may import wrapper/toolchain/lean, and of the standard library only bytes, errors,
// fmt, hash/fnv, io, io/fs, os, slices, strconv, syscall and time.
package early

import (
	"errors"
	"os"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain/lean"
)

// LogVariable names the file that actions log to (wrapper/action).
const LogVariable = "SCAVENGER_WRAP_LOG"

// SDKTools is the directory beside a tool of an SDK that holds the real one
// (wrapper/action).
const SDKTools = "real"

// A start is a start of a tool by the go command, of the plain kind that is done here.
type start struct {
	tool     string   // asm, cgo, compile, cover or vet
	path     string   // its file
	args     []string // its arguments
	frontend bool     // in a build by scavenger-wrap go
}

// longest is how long arguments may be together. Longer ones may need a response file.
const longest = 20 << 10

// parse returns what the arguments of scavenger-wrap ask for. ok is false for all that
// main.main must look at.
func parse(args []string) (s start, ok bool) {
	if len(args) < 2 {
		return s, false
	}
	switch self := args[0]; lean.Base(self) {
	case "link", "":
		return s, false // a tool of an SDK, or nothing
	case "compile":
		// The same, but for the front-end's link to us.
		if self[0] != '/' || !lean.HasPrefix(args[1], "-frontend=.") || isOfSDK(self) {
			return s, false
		}
	case self: // the name alone
	default:
		if self[0] != '/' {
			return s, false // maybe to be refused
		}
	}
	for args = args[1:]; len(args) > 0 && lean.HasPrefix(args[0], "-"); args = args[1:] {
		switch flag := args[0]; {
		case lean.HasPrefix(flag, "-frontend=."):
			s.frontend = true
		case lean.HasPrefix(flag, "-config=") && flag != "-config=":
		case lean.HasPrefix(flag, "-modfile="), lean.HasPrefix(flag, "-overlay="):
		default:
			return s, false
		}
	}
	if len(args) == 0 || args[0] == "" || args[0][0] != '/' {
		return s, false
	}
	s.path, s.args = args[0], args[1:]
	length := 0
	for _, arg := range s.args {
		length += len(arg) + 1
		if lean.HasPrefix(arg, "@") || arg == "-###" { // a response file, or gccgo's ID
			return s, false
		}
	}
	switch s.tool = lean.Base(s.path); s.tool {
	case "asm", "cgo", "compile", "cover", "vet":
		return s, length <= longest
	}
	return s, false
}

// isOfSDK reports whether a file is a tool of an SDK, beside the real one.
func isOfSDK(tool string) bool {
	sep := string(os.PathSeparator)
	_, err := os.Stat(lean.Dir(tool) + sep + SDKTools + sep + lean.Base(tool))
	return err == nil
}

// An outcome is what becomes of a start.
type outcome int

const (
	leave      outcome = iota // to main.main
	becomeTool                // run the tool, and nothing else
	finished                  // what the tool would have written is there
)

// do does the action as far as it needs no tool.
func (s *start) do(env func(string) string) outcome {
	switch s.tool {
	case "asm":
		if TakeAssembled(s.args) {
			return finished
		}
	case "compile":
		return s.compile(env)
	}
	return becomeTool
}

// compile does a compile action of the standard library: it takes the plain archive.
func (s *start) compile(env func(string) string) outcome {
	std := false
	for _, arg := range s.args {
		switch {
		case arg == "-std", arg == "-V=full" && len(s.args) == 1 && s.frontend:
			std = true
		case lean.HasPrefix(arg, "-scavenger"), lean.HasPrefix(arg, "--scavenger"):
			return leave
		}
	}
	switch {
	case !std:
		return leave
	case s.frontend:
		return becomeTool
	}
	importPath := env("TOOLEXEC_IMPORTPATH")
	c, table, err := Takable(s.args, importPath, env)
	switch {
	case err != nil:
		return becomeTool
	case !table.Done():
		return leave // to make it
	}
	err = c.Take(table, importPath, func(string) ([]string, error) { return nil, errEmbeds })
	switch {
	case err == nil:
		return finished
	case errors.Is(err, errEmbeds):
		return leave // it takes a parser of JSON to say what
	}
	return becomeTool
}
