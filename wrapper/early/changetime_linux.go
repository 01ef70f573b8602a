package early

import (
	"io/fs"
	"syscall"
	"time"
)

// changeTime returns when a file was last changed. A program that replaces a file may
// keep its time of modification, as rsync does, but not the time when its status changed.
func changeTime(info fs.FileInfo) time.Time {
	modified := info.ModTime()
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		if changed := time.Unix(stat.Ctim.Unix()); changed.After(modified) {
			return changed
		}
	}
	return modified
}
