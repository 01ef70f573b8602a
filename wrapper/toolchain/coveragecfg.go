// The -coveragecfg file, in which the go command tells compile how a package is covered.

package toolchain

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// coverageCfg is what is of interest to us in a -coveragecfg file
// (internal/coverage.CoverFixupConfig).
type coverageCfg struct {
	CounterMode   string // -covermode
	CounterPrefix string // of the names of counters
}

func ReadCoverageCfg(file string) (coverageCfg, error) {
	var cfg coverageCfg
	text, err := os.ReadFile(file)
	if err != nil {
		return cfg, err
	}
	if err := json.Unmarshal(text, &cfg); err != nil {
		return cfg, fmt.Errorf("reading %s: %w", filepath.Base(file), err)
	}
	return cfg, nil
}
