//go:build go1.25

package hitrt

import (
	"testing"
	"testing/synctest"
	"time"
)

// bubble runs a test under synctest, in 2026: its clock begins at a time that
// the collector does not accept.
func bubble(t *testing.T, f func(*testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
		f(t)
	})
}
