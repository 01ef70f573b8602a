// The data directory of a report that is given none.

package command

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// settingsDataDir returns the directory that a program which is started here would write
// to: that of its variables, or else of the settings. It returns a usageError if there is
// none.
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
		return "", usageError{errors.New("report: name the directory that SCAVENGER_DATA_DIR named, or set it here")}
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
		return "", fmt.Errorf("report: dataDir has $%s in it, which is not set here: name the directory", unknown)
	}
	return strings.TrimSpace(dir), nil
}
