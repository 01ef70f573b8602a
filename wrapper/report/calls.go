// Reading a report again: the JSON of an earlier one, for baselines and as evidence.

package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// An oldReport is what is needed of the JSON of a report.
type oldReport struct {
	SchemaVersion int `json:"schemaVersion"`
	Header        struct {
		From      time.Time `json:"from"`
		To        time.Time `json:"to"`
		Filter    Filter    `json:"filter"`
		Selection Selection `json:"selection"`
	} `json:"header"`
	Programs  []Program  `json:"programs"`
	Functions []Function `json:"functions"`
	Complete  bool       `json:"complete"`
}

// readOld reads the JSON of a report.
func readOld(r io.Reader) (*oldReport, error) {
	old := new(oldReport)
	err := json.NewDecoder(r).Decode(old)
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("it is empty: write the earlier report with scavenger-wrap report --format=json")
	case err != nil:
		return nil, fmt.Errorf("it is no report, or cut off: write it with scavenger-wrap report --format=json: %w", err)
	case old.SchemaVersion > SchemaVersion:
		return nil, fmt.Errorf("it has schema version %d, and this scavenger-wrap knows %d: compare with a newer one", old.SchemaVersion, SchemaVersion)
	case old.SchemaVersion < 1 || old.Functions == nil:
		return nil, errors.New("it is no report: write the earlier one with scavenger-wrap report --format=json")
	}
	return old, nil
}

// ReadEarlier returns a report of which a file has the JSON, or a directory the data. Of
// the JSON it has the functions, the programs and the latest time.
func ReadEarlier(path string) (*Report, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, withoutPath(err)
	}
	if info.IsDir() {
		in, err := Open([]string{path}, nil)
		if err != nil {
			return nil, err
		}
		return in.Read(Filter{})
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer f.Close()
	old, err := readOld(f)
	if err != nil {
		return nil, err
	}
	r := &Report{Functions: old.Functions, Programs: old.Programs}
	r.Observed.To = old.Header.To
	return r, nil
}
