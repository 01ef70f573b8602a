//go:build !nonetwork && !program

// What to do about a collector that gives no answer, for the commands that import this
// package.

package hitrt

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
)

// hasWrongURL reports whether a problem of these settings says already why there is no
// serverUrl.
func (s *settings) hasWrongURL() bool {
	return s.serverURL == "" && slices.ContainsFunc(s.problems, func(p string) bool { return strings.HasPrefix(p, "serverUrl ") })
}

const notPage = "serverUrl must be that of the collector (not of the web page)"

// adviceAbout returns what to do about an error of the first call to serverURL.
func adviceAbout(err error, serverURL string) string {
	var status *statusError
	answered := errors.As(err, &status)
	switch advice := adviceAboutTLS(err, serverURL); {
	case advice != "":
		return advice
	case answered && (status.http >= http.StatusInternalServerError || status.http == http.StatusTooManyRequests):
		return "it is there, and does not serve now: run this again later, and look into its log"
	case answered || isOther(err):
		return notPage
	}
	return notPage + ", and reachable from here without a proxy"
}

// adviceAboutTLS returns what to do if two sides do not agree about TLS, "" if it is not that.
func adviceAboutTLS(err error, serverURL string) string {
	var status *statusError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &certificate):
		return "its certificate must be for the host of serverUrl, and of an authority that this system knows; on Linux SSL_CERT_FILE names a file of others"
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "there is no TLS at this address: begin serverUrl with http://"
	case strings.HasPrefix(serverURL, "http://") && (errors.Is(err, io.EOF) || errors.As(err, &status) && status.http == http.StatusBadRequest):
		return "if there is TLS at this address, begin serverUrl with https://; else " + notPage
	}
	return ""
}
