// The data directory of a command that is given none.

package command

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/config"
)

// errNoDir says that no directory is named, or an empty one, as by a variable that is not
// set.
var errNoDir = usageError{errors.New("name the directory that SCAVENGER_DATA_DIR named, or set it here")}

// settingsDataDir returns the directory that a program which is started here would write
// to: that of its variables, or else of the settings. It returns errNoDir if there is none.
func (cmd *commands) settingsDataDir() (string, error) {
	dir := runValue("dataDir", nil)
	if dir == "" {
		cfg, err := cmd.loadConfig()
		if err != nil {
			return "", err
		}
		dir = runValue("dataDir", cfg.Run)
	}
	if dir == "" {
		return "", errNoDir
	}
	dir, err := expandedDir(dir)
	if err != nil {
		return "", fmt.Errorf("dataDir: %w", err)
	}
	return dir, nil
}

// expandedDir returns the directory that a value of dataDir means here.
func expandedDir(value string) (dir string, err error) {
	unknown := ""
	dir = strings.TrimSpace(os.Expand(value, func(name string) string {
		value, ok := os.LookupEnv(name)
		if !ok {
			unknown = name
		}
		return value
	}))
	if unknown != "" {
		return "", fmt.Errorf("%q has $%s in it, which is not set here: name the directory", value, unknown)
	}
	return dir, config.CheckPath(dir)
}
