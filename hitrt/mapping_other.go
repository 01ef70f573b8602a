//go:build !linux || !(386 || amd64 || arm || arm64 || loong64 || riscv64)

// Mapping on other systems: there is none.

package hitrt

import (
	"errors"
	"os"
)

const canMap = false

func isMemory(string) bool { return false }

func isSteady(string) bool { return false }

func free(string) int64 { return 0 }

func mapFile(*os.File, int) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmapFile([]byte) {}

type pagePipe struct{}

func newPagePipe(int) (*pagePipe, error) { return nil, errors.ErrUnsupported }

func (*pagePipe) close() {}

func (*pagePipe) attach(pageRange, *os.File, int64) error { return errors.ErrUnsupported }

func detach(pageRange, []byte) error { return errors.ErrUnsupported }
