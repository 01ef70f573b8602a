//go:build unix

package early

import (
	"os"
	"syscall"
)

func init() {
	s, ok := parse(os.Args)
	if !ok || os.Getenv(logVariable) != "" || !isProgram(s.path) {
		return
	}
	switch s.do(os.Getenv) {
	case finished:
		os.Exit(0)
	case becomeTool:
		// It returns only if the tool cannot be started. main.main then says why.
		_ = syscall.Exec(s.path, append([]string{s.path}, s.args...), os.Environ())
	}
}
