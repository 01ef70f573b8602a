//go:build nonetwork

// Programs with network = false have nothing for the tests to replace. With this tag go vet
// looks at all tests that ask for no collector.

package hitrt

import "net/http"

func (p *publisher) useNetwork(http.RoundTripper) {}

func (s *settings) leaveThisMachine() {}
