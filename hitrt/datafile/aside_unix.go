//go:build unix && !linux

package datafile

// aside returns fd: elsewhere we do nothing about programs that close all descriptors.
func aside(fd int) int { return fd }
