//go:build !unix

package hitrt

import (
	"io"
	"os"
)

func standardError() io.Writer { return os.Stderr }
