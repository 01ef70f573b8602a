// A client that costs less than net/http's, as it shares the machine with the server.

package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// An httpConnection is one connection that stays open.
type httpConnection struct {
	net.Conn
	answers  *bufio.Reader
	requests [][]byte
}

// patience ends a request that nobody answers any more.
const patience = 5 * time.Minute

// dialHTTP returns what opens a connection that sends the given requests in turns.
func dialHTTP(address string, secure bool, requests [][]byte) func() (connection, error) {
	return func() (connection, error) {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return nil, err
		}
		if secure {
			c = tls.Client(c, &tls.Config{InsecureSkipVerify: true}) // the certificate is made for this run
		}
		return &httpConnection{c, bufio.NewReaderSize(c, 64<<10), requests}, c.SetDeadline(time.Now().Add(patience))
	}
}

func (c *httpConnection) do(n int) error {
	request := c.requests[n%len(c.requests)]
	if _, err := c.Write(request); err != nil {
		return err
	}
	resp, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.Copy(io.Discard, resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		first, _, _ := bytes.Cut(request, []byte("\r\n"))
		err = fmt.Errorf("%s: %s, %d bytes", first, resp.Status, body)
	}
	return err
}

// httpGet and httpPost return requests as they are sent.
func httpGet(path string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path)
}

func httpPost(path, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}
