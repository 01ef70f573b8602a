// Linking with a release of Go that is newer than those that we know. If something has
// changed and the registry does not link, the program is built without reporting, and a
// message says so.

package link

import (
	"bytes"
	"fmt"
	"os"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
)

// tryLink links with the real registry or, should that fail, with the stub.
func (l *linking) tryLink(release string) error {
	program := l.cfg.Clone()
	err := l.linkQuietly()
	if err == nil {
		return nil
	}
	stub, stubErr := registry.CompileStub(l.Path, l.dir)
	if stubErr != nil {
		return stubErr
	}
	l.cfg = program
	l.cfg.Add(registry.Path, stub)
	cmd, linkErr := l.linkCommand()
	if linkErr != nil {
		return linkErr
	}
	if err := action.RunProcess(cmd); err != nil {
		return err // the program itself does not link
	}
	registry.WithoutReporting(release, err)
	return nil
}

// linkQuietly links with the real registry. If that fails, what the linker printed is in
// the error.
func (l *linking) linkQuietly() error {
	if err := l.addRegistry(); err != nil {
		return err
	}
	cmd, err := l.linkCommand()
	if err != nil {
		return err
	}
	var message bytes.Buffer
	cmd.Stdout, cmd.Stderr = &message, &message
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("link: %w\n%s", err, bytes.TrimSpace(message.Bytes()))
	}
	_, err = os.Stderr.Write(message.Bytes())
	return err
}
