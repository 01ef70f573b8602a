// The data directory of a command that is given none.

package command

import (
	"errors"
	"fmt"
	"os"
	"strings"
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
	unknown := ""
	dir = os.Expand(dir, func(name string) string {
		value, ok := os.LookupEnv(name)
		if !ok {
			unknown = name
		}
		return value
	})
	if unknown != "" {
		return "", fmt.Errorf("dataDir has $%s in it, which is not set here: name the directory", unknown)
	}
	return strings.TrimSpace(dir), nil
}
