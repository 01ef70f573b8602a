// Go commands that we run end with the go command that started us.

package toolchain

import (
	"context"
	"os"
	"runtime"
	"time"
)

// parentInterval is how often WhileParent looks for the parent.
const parentInterval = time.Second

// WhileParent returns a context that ends when this process's parent does, which nothing
// else tells a go command that we run: it goes on compiling if somebody kills the outer one
// alone. On Windows, where the number that a process has for its parent never changes, the
// context does not end.
func WhileParent() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	if runtime.GOOS == "windows" {
		return ctx, cancel
	}
	parent := os.Getppid()
	go func() {
		tick := time.NewTicker(parentInterval)
		defer tick.Stop()
		for os.Getppid() == parent {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
		cancel()
	}()
	return ctx, cancel
}
