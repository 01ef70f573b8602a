// What a build says of the variables and files around it.

package action

import (
	"fmt"
	"os"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/early"
)

// Notices returns a line for each variable that is most likely misspelled, for each
// settings file that does not count, and for a log that cannot be written. They are shown
// when a program is linked. As the go command keeps what link says, and says it again when
// it need not link, they are part of link's tool ID.
//
// Of the settings files only those of modules are named that ofModule accepts, and none
// if another file is read: then it may be meant.
func Notices(c *config.Config, ofModule func(path string) bool) []string {
	lines := config.Misspelled(os.Environ())
	if c.File == "" {
		for _, o := range c.Overlooked() {
			if ofModule(o.Module) {
				lines = append(lines, o.Message())
			}
		}
	}
	if err := CheckLog(); err != nil {
		lines = append(lines, err.Error())
	}
	return lines
}

// CheckLog returns an error if a log is wanted and cannot be written.
func CheckLog() error {
	file := os.Getenv(early.LogVariable)
	if file == "" {
		return nil
	}
	f, err := openLog(file)
	if err != nil {
		return fmt.Errorf("nothing is logged: %s: %w", early.LogVariable, err)
	}
	return f.Close()
}
