// Where a bug of ours is.

package rewrite

import (
	"fmt"
	"path"
	"runtime"
	"strings"
)

// internalError returns an error about a panic that is being recovered, with the place in
// this package that it came from.
func internalError(bug any) error {
	pcs := make([]uintptr, 1000)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	self, more := frames.Next()
	ours := strings.TrimSuffix(self.Function, "internalError")
	for panicked := false; more; {
		var f runtime.Frame
		f, more = frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			panicked = true
		case panicked && strings.HasPrefix(f.Function, ours):
			return fmt.Errorf("internal error: %v (%s:%d)", bug, path.Base(f.File), f.Line)
		}
	}
	return fmt.Errorf("internal error: %v", bug)
}
