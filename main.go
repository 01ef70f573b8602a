// Scavenger-wrap finds the functions of a Go program that nobody calls. As the
// -toolexec of the go command,
//
//	go build -toolexec=scavenger-wrap ./cmd/app
//
// it marks each function of the program's packages, and the program then
// reports which of them were called: to a Scavenger collector, or to files that
//
//	scavenger-wrap report DIR
//
// reads. The manual is README.md; scavenger-wrap --help lists the commands.
package main

import (
	"embed"
	"os"

	"github.com/naver/scavenger/scavenger-wrap/wrapper"
)

// sources holds hitrt, which is compiled into programs, and what else decides
// how programs come out, which goes into the tool IDs.
//
//go:embed config/*.go hitrt/*.go hitrt/datafile/*.go rewrite/*.go wrapper/*.go wrapper/*/*.go wrapper/*/*/*.go
var sources embed.FS

func main() {
	os.Exit(wrapper.Main(os.Args, sources))
}
