//go:build !linux

package command

import "os"

const canMapMarks = false

// fileSystemOf returns what is known of a file system here: nothing.
func fileSystemOf(string) fileSystem { return fileSystem{} }

// writable reports that a directory is writable, as nothing else is known here.
func writable(string) bool { return true }

func ownerOf(os.FileInfo) string { return "" }
