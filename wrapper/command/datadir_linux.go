package command

import (
	"fmt"
	"os"
	"syscall"
)

const canMapMarks = true

// fileSystemNames are those of the types that statfs(2) gives, of which there may be a
// dataDir.
var fileSystemNames = map[uint32]string{
	0x01021994: "tmpfs", 0x858458f6: "ramfs", 0xef53: "ext4", 0x58465342: "xfs", 0x9123683e: "btrfs", 0x794c7630: "overlay",
	0x6969: "nfs", 0xff534d42: "cifs", 0x65735546: "fuse", 0xf2f52010: "f2fs", 0x2fc12fc1: "zfs", 0x01021997: "9p",
}

func fileSystemOf(dir string) fileSystem {
	var st syscall.Statfs_t
	if syscall.Statfs(dir, &st) != nil {
		return fileSystem{}
	}
	name, ok := fileSystemNames[uint32(st.Type)]
	if !ok {
		name = fmt.Sprintf("a file system of type %#x", uint32(st.Type))
	}
	f := fileSystem{known: true, name: name, memory: name == "tmpfs"}
	f.free = int64(st.Bavail) * int64(st.Bsize) //nolint:unconvert // 386 and arm have int32
	if st.Blocks == 0 {                         // no limit is set
		f.free = noLimit
	}
	return f
}

// writable reports whether this user may create files in a directory.
func writable(dir string) bool { return syscall.Access(dir, 2|1) == nil }

func ownerOf(info os.FileInfo) string {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf(", of user %d", st.Uid)
	}
	return ""
}
