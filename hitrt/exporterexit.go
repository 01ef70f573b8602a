//go:build !nonetwork

// What is sent at the end of a process, and when the program calls Flush.

package hitrt

import (
	"errors"
	"time"
)

// flush sends what is pending, and first the codebase if it was not sent.
func (e *exporter) flush() error {
	defer e.client.closeIdle()
	if !e.polled {
		e.pollConfig()
	}
	if !e.polled {
		return errors.New("scavenger: the collector does not answer, or not to this api key")
	}
	for !e.complete {
		if err := e.publishChunk(); err != nil {
			return err
		}
		if e.complete {
			time.Sleep(storePause)
		}
	}
	return e.sendRest()
}

// finish makes the last publication, within the time that Exit has, even if the
// process did not live until its first tick. What the collector does not accept is saved.
func (e *exporter) finish() {
	if e.refused {
		return
	}
	defer e.client.closeIdle()
	switch sent := e.sendLast(); {
	case sent:
		e.finishOrphans()
		e.sendSaved()
	case !e.refused:
		e.saveUnsent()
	}
}

// sendLast reports whether the collector accepted the last publication.
func (e *exporter) sendLast() bool {
	if !e.polled {
		e.pollConfig() // if only this fails, hits may still get through
		if e.refused || e.target == "" {
			return false
		}
	}
	e.mendAtExit()
	if !e.complete {
		return e.sendLastUnknown()
	}
	fresh := e.published == 0
	if e.sendAgain() != nil || e.sendRest() != nil {
		return false
	}
	if fresh { // the collector may still be busy with the codebase
		e.pause()
		return e.sendAgain() == nil
	}
	return true
}

// sendLastUnknown is sendLast for a process whose codebase the collector does not have
// yet: rule 4 in exporter.go.
func (e *exporter) sendLastUnknown() bool {
	err := e.sendRest()
	if e.refused {
		return false
	}
	e.pause()
	for !e.complete {
		if e.publishChunk() != nil {
			break
		}
	}
	if e.refused || !e.complete && err == nil {
		return false
	}
	e.pause()
	return e.sendRest() == nil && e.complete
}

// pause gives the collector time to store what it accepted, if there is time.
func (e *exporter) pause() {
	time.Sleep(min(storePause, e.p.left()/4))
}
