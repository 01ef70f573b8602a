// Package datafile knows the format of local files: it writes and reads what marked
// programs leave in dataDir. It is used by hitrt, inside the programs, and by the
// commands that read what they left.
//
// # The files
//
// "codebase-<fingerprint>.json" lists the functions of a build (codebase.go), and
// ".directory.id" names the directory (directory.go).
//
// "hits-<key>.hits" holds when each function was last called. All processes of one
// build, application, environment, host and user share it, however many there are:
// each raises the stamps of what it called, in place and under the file's lock. So
// files do not pile up, a process costs the same whatever ran before it, and a file
// that is copied while processes write to it is never older than the start of the
// copy: nothing ever moves from one place to another that the copy has passed already.
//
// "hits-<key>-<process>.hits" is such a file of one process alone, where it cannot have
// a part in the shared one: without locks, or if somebody holds the lock for ever. Later
// processes join it to the shared one (join.go).
//
// "<directory>-<process>.marks" is not in dataDir but on tmpfs. It lies under the mark
// arrays of a living process, and has what that process could not stamp any more (marks.go).
//
// "<key>.unsent" is not in dataDir either: it has what processes without dataDir could not
// send (unsent.go).
//
// Files of earlier versions, "process-<uuid>.hits", are read and joined (old.go).
//
// # A hits file
//
//	0         "SCAVHIT3"
//	8         length L of the header, 4 bytes; CRC-32 (IEEE) of the header, 4 bytes
//	16        header, JSON, L bytes; zeros up to S, a multiple of 4096
//	S + 8*i   stamp of function i
//	R         records of processes, 256 bytes each, the first one for those that have
//	          ended and need none of their own any more (records.go); a multiple of 4096
//
// Numbers are little endian. The header is written once: a file appears complete or not
// at all. Stamps and records are written in place and in whole, and carry their own
// checksums, so that a block that the disk lost or changed costs what was in it and is
// noticed. The file has no holes: what reads as zeros is damage.
//
// # A stamp
//
//	bits 0-45   Unix milliseconds of the last call that is known; 1 = never called
//	bit 46      the collector said OK to it once
//	bit 47      the collector said OK to it twice, so that it needs no sending any more
//	bits 48-63  checksum, of these 48 bits and of the place of the stamp
//
// # What a reader may believe
//
// Nothing. A file may come from a broken disk or from somebody hostile. A reader takes
// no more memory than the file has data, follows no link, opens nothing but regular
// files, and never waits.
//
// It imports nothing of ours, and nothing but the standard library.
package datafile

import (
	"fmt"
	"strings"
	"time"
)

const (
	pageSize = 4096

	// maxFunctions is the largest number of functions that is believed.
	maxFunctions = 1 << 24
)

// Errors that callers tell apart.
const (
	// ErrBusy says that another process holds the lock.
	ErrBusy = Error("another process holds its lock")

	// ErrElsewhere says that a process wrote to another directory.
	ErrElsewhere = Error("its process wrote to another directory")

	// ErrNoLocks says that the file system has no locks.
	ErrNoLocks = Error("the file system has no locks")

	// ErrNoLinks says that the file system cannot create a file only if it is missing.
	ErrNoLinks = Error("the file system has no hard links")

	// ErrNotRegular says that a name belongs to something else than a regular file.
	ErrNotRegular = Error("not a regular file")

	// ErrNotBelieved says that a codebase file belongs to somebody who might give calls
	// other names.
	ErrNotBelieved = Error("its names are not believed")
)

// An Error is an error that is known by its text. It can be a constant. Unless network is
// false, link compiles hitrt without inlining, and a variable that errors.New makes would then
// be initialised when the program starts.
type Error string

func (e Error) Error() string { return string(e) }

// An Identity is what the processes have in common that share a file. The first line
// of a codebase file has the first two.
type Identity struct {
	Fingerprint string `json:"fingerprint"`
	Functions   int    `json:"functions"`
	Main        string `json:"main,omitempty"`   // import path of the main package
	Module      string `json:"module,omitempty"` // and of the main module
	AppName     string `json:"appName"`
	AppVersion  string `json:"appVersion"`
	Environment string `json:"environment"`
	Hostname    string `json:"hostname"`
	UID         int    `json:"uid"` // of the user, -1 where there is none
}

func (id *Identity) fields() []field {
	return []field{
		{key: "fingerprint", value: &id.Fingerprint},
		{key: "functions", value: &id.Functions},
		{key: "main", value: &id.Main, optional: true},
		{key: "module", value: &id.Module, optional: true},
		{key: "appName", value: &id.AppName},
		{key: "appVersion", value: &id.AppVersion},
		{key: "environment", value: &id.Environment},
		{key: "hostname", value: &id.Hostname},
		{key: "uid", value: &id.UID},
	}
}

// normal returns the identity as a header says it: JSON has no bytes that are not UTF-8,
// and the environment of a process may.
func (id Identity) normal() Identity {
	for _, s := range []*string{&id.Fingerprint, &id.Main, &id.Module, &id.AppName, &id.AppVersion, &id.Environment, &id.Hostname} {
		*s = string([]rune(*s))
	}
	return id
}

// key returns what names the file of the processes with this identity in a directory with
// an ID.
func (id *Identity) key(directory string) string {
	n := id.normal()
	id = &n
	h := NewSHA256()
	// With the format: processes of a version that writes another one have files of their own.
	fmt.Fprintln(h, format, directory)
	for _, s := range []string{id.Fingerprint, id.Main, id.Module, id.AppName, id.AppVersion, id.Environment, id.Hostname} {
		fmt.Fprintf(h, "%q\n", s)
	}
	fmt.Fprintln(h, id.Functions, id.UID)
	return Hex(h.Sum(nil)[:8])
}

// Names of files.
const (
	hitsPrefix     = "hits-"
	hitsSuffix     = ".hits"
	oldPrefix      = "process-"
	codebasePrefix = "codebase-"
	codebaseSuffix = ".json"
	marksSuffix    = ".marks"
	tempSuffix     = ".tmp"
)

// IsHits reports whether a name is that of a hits file, of this version or an earlier
// one.
func IsHits(name string) bool {
	return strings.HasSuffix(name, hitsSuffix) && (strings.HasPrefix(name, hitsPrefix) || strings.HasPrefix(name, oldPrefix))
}

// HitsName returns the name that a hits file had before something put more behind it, as
// what rotates files does (hits-1.hits.1), and any other name as it is.
func HitsName(name string) string {
	i := strings.LastIndex(name, hitsSuffix)
	if i < 0 || strings.HasSuffix(name, tempSuffix) {
		return name
	}
	return name[:i+len(hitsSuffix)]
}

// IsOld reports whether a name is that of a hits file of an earlier version.
func IsOld(name string) bool { return IsHits(name) && strings.HasPrefix(name, oldPrefix) }

// millis returns a time as stamps have it.
func millis(t time.Time) int64 { return min(max(t.UnixMilli(), MinTime), MaxTime) }
