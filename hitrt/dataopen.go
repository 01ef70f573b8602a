// What is done before the first call is written: the directory of local files is made, and the
// program finds out whether it is in a container, which takes its files along when it goes.

package hitrt

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// open makes the directory, and the marks file. It returns before anything waits for a
// disk, if the directory is there.
func (d *dataFile) open() {
	d.makeDir()
	d.root, _ = os.Stat("/")
	d.keep(d.p.now())
}

// makeDir makes the directory if it is not there.
func (d *dataFile) makeDir() {
	dir, mode := d.store.Dir, d.p.set.dirMode()
	d.missing = false
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err := makeDirs(dir, mode); err != nil {
		d.missing = true
		d.p.log.WarnHourly("create", "creating dataDir: %v; nothing is written until it is there", err)
	}
}

// makeDirs makes a directory and those above it, with a mode whatever the umask is.
func makeDirs(dir string, mode os.FileMode) error {
	err := os.Mkdir(dir, mode)
	if above := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && above != dir {
		if err := makeDirs(above, mode); err != nil {
			return err
		}
		err = os.Mkdir(dir, mode)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Chmod(dir, mode)
}

// inContainer reports whether it looks as if the program runs in a container. Whoever
// stops that mostly removes it, and with it /dev/shm.
func inContainer() bool {
	if os.Getpid() == 1 || os.Getenv("KUBERNETES_SERVICE_HOST") != "" {
		return true
	}
	for _, name := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Lstat(name); err == nil {
			return true
		}
	}
	return false
}
