// Who handles the program's signals: nobody, if hitrt may.

package link

import (
	"bytes"
	"os"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// leavesSignals reports whether nothing in the program asks for signals, so that hitrt
// may. A library has a host that does, and a plugin may bring os/signal with it. C code
// needs no thought: where it has a handler, the runtime has none any longer, and nothing
// reaches hitrt.
//
// A program that has asked for a signal is never ended by the runtime because its last
// goroutine has ended after runtime.Goexit of main. So packages that call Goexit keep
// hitrt from asking.
func (l *linking) leavesSignals(packages []*registry.Metadata) (bool, error) {
	mode, ok := toolchain.FlagValue(l.args, "-buildmode")
	if ok && mode != "exe" && mode != "pie" {
		return false, nil
	}
	for _, p := range []string{"os/signal", "plugin"} {
		if _, ok := l.cfg.Packages[p]; ok {
			return false, nil
		}
	}
	for _, m := range packages {
		archive, ok := l.cfg.Packages[m.ImportPath]
		if m == l.main {
			archive, ok = l.args[len(l.args)-1], true
		}
		if !ok {
			return false, nil
		}
		data, err := os.ReadFile(archive)
		if err != nil || bytes.Contains(data, []byte("runtime.Goexit")) {
			return false, err
		}
	}
	return true, nil
}
