//go:build !nonetwork && !program

// What `scavenger-wrap doctor` says of calls that a collector does not accept.

package hitrt

import (
	"os"
	"path/filepath"
)

// UnsentDir returns the directory in which a program with these baked-in settings, started
// here by this user, would save what the collector does not accept when it ends, "" if
// there is none. saves is false if it would save nothing: it keeps it in dataDir, or the
// settings or the system are against it. Nothing is made to find that out.
func UnsentDir(settings string, writable func(dir string) bool) (dir string, saves bool) {
	set := loadSettings(&Program{Settings: settings}, os.LookupEnv)
	if !set.collects() || set.dataDir != "" || set.savePlaces == nil {
		return "", false
	}
	for i := range set.savePlaces {
		if place := &set.savePlaces[i]; place.mayBeUsed(writable) {
			return place.dir(), true
		}
	}
	return "", true
}

// mayBeUsed reports whether check(true) would succeed.
func (p *savePlace) mayBeUsed(writable func(dir string) bool) bool {
	own := p.dir()
	if _, err := os.Lstat(own); err == nil {
		return p.check(false) == nil && writable(own)
	}
	above := p.above
	for _, name := range p.below[:len(p.below)-1] {
		next := filepath.Join(above, name)
		if _, err := os.Lstat(next); os.IsNotExist(err) {
			break
		}
		if checkAbove(above) != nil {
			return false
		}
		above = next
	}
	info, err := os.Stat(above)
	return err == nil && info.IsDir() && checkAbove(above) == nil && writable(above)
}
