//go:build !nonetwork

package datafile

import (
	"crypto/sha256"
	"hash"
)

// NewSHA256 returns the hash of names and checksums.
func NewSHA256() hash.Hash { return sha256.New() }
