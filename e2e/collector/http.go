// The plain endpoint: initConfig, and the answers to everything else.

package collector

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"google.golang.org/grpc/codes"
)

const initConfigPath = "/javaagent/v5/initConfig"

func (c *Collector) newHTTP() *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true) // TLS ended at the port
	return &http.Server{
		Handler:           http.HandlerFunc(c.servePlain),
		Protocols:         protocols,
		ReadHeaderTimeout: c.options.IdleTimeout,
		IdleTimeout:       c.options.IdleTimeout,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
}

func (c *Collector) servePlain(w http.ResponseWriter, r *http.Request) {
	kind := kindOfPath(r.URL.Path)
	if kind != Other && r.Method == http.MethodPost && r.ProtoMajor == 2 && isGRPC(r.Header.Get("Content-Type")) {
		// The client used its connection for a plain request first.
		c.grpc.ServeHTTP(w, r)
		return
	}
	rpc := kind != Other
	kind = Other
	if r.URL.Path == initConfigPath {
		kind = InitConfig
	}
	number := c.log(Request{
		Kind: kind, Remote: r.RemoteAddr, Path: r.URL.Path, Host: r.Host,
		Header: r.Header.Clone(), Query: r.URL.RawQuery,
	})
	f, err := c.fault(r.Context(), kind)
	code, body := http.StatusServiceUnavailable, ""
	if err == nil && f != Unavailable {
		code, body = c.answerPlain(r, rpc)
	}
	if f == LoseAnswer {
		panic(http.ErrAbortHandler) // net/http cuts the connection
	}
	c.logAnswer(number, codes.OK, code)
	if code == http.StatusOK {
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	}
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body) // fails if the client has left
}

// answerPlain returns the answer to a plain request; rpc says that its path
// is that of a gRPC call.
func (c *Collector) answerPlain(r *http.Request, rpc bool) (code int, body string) {
	switch {
	case rpc && r.Method == http.MethodPost:
		return http.StatusUnsupportedMediaType, "Missing or invalid Content-Type header."
	case rpc:
		return http.StatusMethodNotAllowed, ""
	case r.URL.Path != initConfigPath:
		return http.StatusNotFound, ""
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return http.StatusMethodNotAllowed, ""
	case !r.URL.Query().Has("licenseKey"):
		return http.StatusBadRequest, ""
	}
	host := r.Host
	defaultPort := ":80"
	if c.options.TLS {
		defaultPort = ":443"
	}
	host = strings.TrimSuffix(host, defaultPort)
	if c.options.InitConfig != nil {
		return http.StatusOK, c.options.InitConfig(host)
	}
	// As protobuf's JSON printer lays it out. The key is not checked.
	return http.StatusOK, fmt.Sprintf("{\n  \"collectorUrl\": %q\n}", host)
}
