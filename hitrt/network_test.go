//go:build !nonetwork

package hitrt

import (
	"net/http"
	"slices"
)

// useNetwork replaces the real network.
func (p *publisher) useNetwork(network http.RoundTripper) { p.network = network }

// leaveThisMachine leaves out where other programs of this machine save what is unsent.
func (s *settings) leaveThisMachine() {
	s.savePlaces = slices.DeleteFunc(s.savePlaces, func(p savePlace) bool { return p.shared })
}
