// What doctor says of dataDir: whether it can be written to, and how calls are kept.

package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// sharedMemory is where hitrt keeps calls that outlive a process.
const sharedMemory = "/dev/shm"

// dataDir says how a program that is started here, by this user and with these settings,
// would keep local files.
func (d *examination) dataDir(settings map[string]string) {
	value := runValue("dataDir", settings)
	if value == "" {
		return
	}
	dir, err := expandedDir(value, settings)
	if wrong := config.CheckPath(dir); wrong != nil {
		d.say("dataDir", "failed", wrong.Error(), "")
		return
	}
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil { // another user's variables may be others
		d.say("dataDir", "note", err.Error(), "")
		return
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		parent := dir
		for info == nil && parent != filepath.Dir(parent) {
			parent = filepath.Dir(parent)
			info, _ = os.Stat(parent)
		}
		d.say("dataDir", "ok", dir+" does not exist yet: a program creates it", "")
		dir = parent
	case err != nil:
		d.say("dataDir", "failed", err.Error(), "name a directory that the programs may write to")
		return
	case !info.IsDir():
		d.say("dataDir", "failed", dir+" is not a directory", "name a directory that the programs may write to")
		return
	default:
		d.say("dataDir", "ok", fmt.Sprintf("%s, mode %04o%s", dir, info.Mode().Perm(), ownerOf(info)), "")
	}
	fileSystem := fileSystemOf(dir)
	if fileSystem.known {
		detail := fmt.Sprintf("%s, %s", fileSystem.name, fileSystem.room())
		if fileSystem.free>>20 == 0 {
			d.say("file system", "note", detail, "what programs call is kept in memory until there is room")
		} else {
			d.say("file system", "ok", detail, "")
		}
	}
	if !writable(dir) {
		const advice = "let the user of the programs own it; docs/reliability.md says how two users share one"
		d.say("dataDir", "note", "this user cannot write to "+dir, advice)
		if !report.IsData(dir) {
			d.next.better("dataDir: " + advice)
		}
	}
	d.kept(runValue("mapping", settings), fileSystem)
}

// kept says what becomes of calls if a process is killed.
func (d *examination) kept(mapping string, dataDir fileSystem) {
	const once = "calls are kept once a second (%s), later ones of a function once a minute: a process that is killed loses first calls of its last second and later calls of its last minute"
	switch {
	case !canMapMarks:
		d.say("calls", "note", fmt.Sprintf(once, "this system cannot map mark arrays"), "")
	case mapping == "none":
		d.say("calls", "note", fmt.Sprintf(once, "mapping is none"), "leave mapping out")
	case dataDir.memory:
		d.say("calls", "ok", "calls are kept in memory, in dataDir itself: a process that is killed loses nothing, and a machine that is started anew all", "")
	case mapping == "disk":
		d.say("calls", "note", "mark arrays are mapped from "+dataDir.name+" (mapping is disk): a disk that fails or is full may end the program", "leave mapping out, unless there is no "+sharedMemory)
	default:
		shared := fileSystemOf(sharedMemory)
		const leastFree = 16 << 20
		switch {
		case !shared.memory:
			d.say("calls", "note", fmt.Sprintf(once, "no tmpfs at "+sharedMemory), "mount a tmpfs there: in a container, --shm-size or an emptyDir of medium Memory")
		case !writable(sharedMemory):
			d.say("calls", "note", fmt.Sprintf(once, "this user cannot write to "+sharedMemory), "its mode should be 1777")
		case shared.free < leastFree:
			d.say("calls", "note", fmt.Sprintf(once, sharedMemory+": "+shared.room()), "make it larger: in a container, --shm-size or an emptyDir of medium Memory")
		default:
			d.say("calls", "ok", fmt.Sprintf("calls are kept in memory, in %s (%s): a process that is killed loses nothing", sharedMemory, shared.room()), "")
		}
	}
}

// A fileSystem is what is known of one.
type fileSystem struct {
	known  bool
	name   string
	memory bool // it is tmpfs
	free   int64
}

// noLimit is the room of a file system without a limit.
const noLimit = 1 << 62

// room says how much room there is.
func (f fileSystem) room() string {
	if f.free == noLimit {
		return "no limit"
	}
	return fmt.Sprintf("%d MB free", f.free>>20)
}
