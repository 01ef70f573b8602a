//go:build !race || !linux

package hitrt

const raceDetector = false

// followProgram is for the race detector (race.go).
func followProgram() {}
