//go:build unix && !linux

package datafile

// Aside returns fd: elsewhere we do nothing about programs that close all descriptors.
func Aside(fd int) int { return fd }
