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
	var settings map[string]string
	if dir == "" || strings.Contains(dir, "$") {
		switch cfg, err := cmd.loadConfig(); {
		case err == nil:
			settings = cfg.Run
		case dir == "":
			return "", err
		}
		dir = runValue("dataDir", settings)
	}
	if dir == "" {
		return "", errNoDir
	}
	dir, err := expandedDir(dir, settings)
	if err != nil {
		return "", fmt.Errorf("dataDir: %w", err)
	}
	return dir, nil
}

// expandedDir returns the directory that a value of dataDir means in a program with these
// settings that is started here. With an error it may be one that the program refuses.
func expandedDir(value string, settings map[string]string) (dir string, err error) {
	unknown := ""
	dir = strings.TrimSpace(config.Expand(value, func(name string) (string, bool) {
		if value, ok := os.LookupEnv(name); ok {
			return value, true
		}
		value, ok := settings[name]
		for _, o := range config.Options(os.Getenv("SCAVENGER_OPTIONS")) {
			if o.Name == name || o.Key != nil && o.Key.Name == name {
				value, ok = o.Value, true
			}
		}
		if !ok {
			unknown = name
		}
		return value, ok
	}))
	if wrong := config.CheckPath(dir); wrong != nil {
		return dir, wrong
	}
	if unknown != "" {
		return "", fmt.Errorf("%q has $%s in it, which is not set here: name the directory", value, unknown)
	}
	return dir, nil
}
