package datafile

// sum256 returns the SHA-256 of data.
func sum256(data []byte) []byte {
	h := NewSHA256()
	_, _ = h.Write(data)
	return h.Sum(nil)
}
