package plain

import (
	"io/fs"
	"syscall"
	"time"
)

// changeTime returns when a file was changed last. Its status tells even where
// whoever replaced it has kept the time of modification, as rsync does.
func changeTime(info fs.FileInfo) time.Time {
	modified := info.ModTime()
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		if changed := time.Unix(stat.Ctim.Unix()); changed.After(modified) {
			return changed
		}
	}
	return modified
}
