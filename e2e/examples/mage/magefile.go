//go:build mage

// The magefile of the program. With MAGEFILE_GOCMD=…/go from `scavenger-wrap install-go`
// the same target builds with marks.
package main

import (
	"github.com/magefile/mage/mg"
	"github.com/magefile/mage/sh"
)

// Build builds the program.
func Build() error {
	return sh.RunV(mg.GoCmd(), "build", "-o", "app.bin", "./cmd/app")
}
