// The -coveragecfg file, in which the go command tells compile how a package is covered.

package toolchain

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// CoverageCfg holds the fields of a -coveragecfg file that we use
// (internal/coverage.CoverFixupConfig).
type CoverageCfg struct {
	CounterMode   string // -covermode
	CounterPrefix string // of the names of counters
}

// ReadCoverageCfg returns what is in such a file.
func ReadCoverageCfg(file string) (CoverageCfg, error) {
	var cfg CoverageCfg
	text, err := os.ReadFile(file)
	if err != nil {
		return cfg, err
	}
	if err := json.Unmarshal(text, &cfg); err != nil {
		return cfg, fmt.Errorf("reading %s: %w", filepath.Base(file), err)
	}
	return cfg, nil
}
