//go:build !nonetwork

// The settings that are about a collector.

package hitrt

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// hasNetwork says that this package can report to a collector. What that takes is left out
// of programs that are built with network = false: link gives the build tag nonetwork.
const hasNetwork = true

// inert says what a program lacks that has no settings to record by.
const inert = "neither serverUrl and apiKey nor dataDir are set"

// sending is what the publisher keeps for calls to a collector.
type sending struct {
	network http.RoundTripper // replaces the real one if not nil
	conns   *conns            // the exporter's: they must not become garbage
	random  io.Reader         // for TLS; nil if crypto/rand's may be used
}

// newSending notes the source of randomness, which a program may replace, to be able to
// repeat what it does: nobody else must take of that then. What a package has put there that
// is initialised before Register is called cannot be told from Go's own.
func newSending() sending { return sending{random: rand.Reader} }

// serverURL returns the collector's URL without trailing slashes, which its routes
// do not accept. A URL without a scheme becomes http.
func (r *settingsReader) serverURL() string {
	v := r.text("serverUrl")
	if v == "" {
		return ""
	}
	full := v
	if !strings.Contains(full, "://") {
		full = "http://" + full
	}
	u, err := url.Parse(full)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		// Not shown: it may contain a password.
		r.problem("serverUrl is not of the form http://host:port or https://host: nothing is sent to a collector")
		return ""
	}
	return u.Scheme + "://" + u.Host + strings.TrimRight(u.EscapedPath(), "/")
}

// inURL returns the api key as it is part of a URL.
func inURL(key string) string { return url.QueryEscape(key) }
