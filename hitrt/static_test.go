package hitrt

import (
	"testing"
	"time"
)

// Cells of functions without marks are set at the start, and once an hour again.
func TestStaticCells(t *testing.T) {
	var cell uint8
	p := &publisher{program: &Program{Static: []*uint8{&cell}}}
	p.setStatic()
	if cell != 1 {
		t.Fatal("the cell is not set at the start")
	}
	cell = 0 // a sweep
	p.work()
	if cell != 0 {
		t.Error("the cell is set again before the hour is over")
	}
	p.nextStatic = time.Now()
	p.work()
	if cell != 1 || time.Until(p.nextStatic) < staticInterval/2 {
		t.Errorf("after an hour: cell %d, next time in %v", cell, time.Until(p.nextStatic))
	}
}
