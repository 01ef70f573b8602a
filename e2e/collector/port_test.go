// One port: HTTP/1.1, h2c and gRPC, with and without TLS.

package collector

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
)

// httpClient speaks HTTP/1.1, or HTTP/2 without the detour over HTTP/1.1.
func httpClient(t *testing.T, c *Collector, http2 bool) *http.Client {
	t.Helper()
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetHTTP1(!http2)
	tr.Protocols.SetHTTP2(http2)
	tr.Protocols.SetUnencryptedHTTP2(http2)
	if pem := c.Certificate(); pem != nil {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			t.Fatalf("Certificate is not PEM: %q", pem)
		}
		tr.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 30 * time.Second}
}

// do sends a request and returns status and body.
func do(t *testing.T, client *http.Client, r *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := client.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	return resp, string(body)
}

func newRequest(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPlainRequests(t *testing.T) {
	for _, secure := range []bool{false, true} {
		for _, http2 := range []bool{false, true} {
			t.Run(fmt.Sprintf("tls %v http2 %v", secure, http2), func(t *testing.T) {
				c := start(t, Options{TLS: secure})
				client := httpClient(t, c, http2)
				for _, test := range []struct {
					method, path string
					want         int
				}{
					{"GET", "/javaagent/v5/initConfig?licenseKey=any", 200},
					{"GET", "/javaagent/v5/initConfig?licenseKey=", 200},
					{"GET", "/javaagent/v5/initConfig", 400},
					{"POST", "/javaagent/v5/initConfig?licenseKey=any", 405},
					{"GET", "//javaagent/v5/initConfig?licenseKey=any", 404},
					{"GET", "/javaagent/v5/initConfig/?licenseKey=any", 404},
					{"GET", "/", 404},
					{"POST", "/GrpcAgentService/PollConfig", 415},
					{"GET", "/GrpcAgentService/PollConfig", 405},
				} {
					resp, body := do(t, client, newRequest(t, test.method, c.URL()+test.path, ""))
					if resp.StatusCode != test.want {
						t.Errorf("%s %s: got %s, want %d", test.method, test.path, resp.Status, test.want)
					}
					if wantMajor := map[bool]int{false: 1, true: 2}[http2]; resp.ProtoMajor != wantMajor {
						t.Errorf("answered with %s", resp.Proto)
					}
					want := fmt.Sprintf("{\n  \"collectorUrl\": %q\n}", c.Addr())
					if test.want == 200 && (body != want || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json")) {
						t.Errorf("%s: got %s %q, want %q", test.path, resp.Header, body, want)
					}
				}
				log := c.Requests(InitConfig)
				if len(log) != 4 || log[0].Query != "licenseKey=any" || log[0].Status != 200 || c.Count(InitConfig) != 2 {
					t.Errorf("log: %+v", log)
				}
			})
		}
	}
}

func TestInitConfigHost(t *testing.T) {
	c := start(t, Options{})
	client := httpClient(t, c, false)
	for host, want := range map[string]string{
		"scavenger.example":      "scavenger.example",
		"scavenger.example:80":   "scavenger.example",
		"scavenger.example:8080": "scavenger.example:8080",
	} {
		r := newRequest(t, "GET", c.URL()+"/javaagent/v5/initConfig?licenseKey=k", "")
		r.Host = host
		if _, body := do(t, client, r); body != fmt.Sprintf("{\n  \"collectorUrl\": %q\n}", want) {
			t.Errorf("host %s: got %s", host, body)
		}
	}
	c = start(t, Options{InitConfig: func(host string) string { return `{"collectorUrl":"https://` + host + `","x":[1]}` }})
	_, body := do(t, client, newRequest(t, "GET", c.URL()+"/javaagent/v5/initConfig?licenseKey=k", ""))
	if want := `{"collectorUrl":"https://` + c.Addr() + `","x":[1]}`; body != want {
		t.Errorf("got %s, want %s", body, want)
	}
}

// grpcRequest returns a poll as a client on net/http sends it.
func grpcRequest(t *testing.T, c *Collector, path string) *http.Request {
	t.Helper()
	message := "\x0a" + string(rune(len(DemoKey))) + DemoKey + "\x12\x01u"
	r := newRequest(t, "POST", c.URL()+path, "\x00\x00\x00\x00"+string(rune(len(message)))+message)
	r.Header.Set("Content-Type", "application/grpc+proto")
	r.Header.Set("TE", "trailers")
	return r
}

// TestNetHTTPClient sends everything over one HTTP/2 connection, which
// therefore begins with a plain request; and gRPC alone.
func TestNetHTTPClient(t *testing.T) {
	for _, secure := range []bool{false, true} {
		for _, plainFirst := range []bool{false, true} {
			t.Run(fmt.Sprintf("tls %v plain first %v", secure, plainFirst), func(t *testing.T) {
				c := start(t, Options{TLS: secure})
				client := httpClient(t, c, true)
				if plainFirst {
					do(t, client, newRequest(t, "GET", c.URL()+"/javaagent/v5/initConfig?licenseKey=k", ""))
				}
				for range 2 {
					resp, body := do(t, client, grpcRequest(t, c, "/GrpcAgentService/PollConfig"))
					if got := resp.Trailer.Get("Grpc-Status"); resp.StatusCode != 200 || got != "0" || len(body) < 5 {
						t.Errorf("got %s, grpc-status %q, %q", resp.Status, got, body)
					}
				}
				remotes := make(map[string]bool)
				for _, r := range c.Requests() {
					remotes[r.Remote] = true
				}
				if len(remotes) != 1 {
					t.Errorf("requests came over %d connections, want 1", len(remotes))
				}
				if got := c.Count(PollConfig); got != 2 {
					t.Errorf("%d polls in the log, want 2", got)
				}
			})
		}
	}
	c := start(t, Options{})
	resp, _ := do(t, httpClient(t, c, true), grpcRequest(t, c, "/GrpcAgentService/Nothing"))
	if resp.StatusCode != 404 {
		t.Errorf("unknown method: got %s, want 404", resp.Status)
	}
}

func TestTLS(t *testing.T) {
	c := start(t, Options{TLS: true})
	if !strings.HasPrefix(c.URL(), "https://") {
		t.Errorf("URL is %s", c.URL())
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(c.Certificate())
	cl := dial(t, c, grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(pool, "")))
	cl.good(someCommon(), someTime, someEntries(3))
	if _, err := cl.poll("nobody", "u"); err == nil {
		t.Errorf("unknown key accepted")
	}
	_, err := dial(t, c).poll(DemoKey, "u")
	wantCode(t, "plaintext client", err, codes.Unavailable)
	_, err = dial(t, c, grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(x509.NewCertPool(), ""))).poll(DemoKey, "u")
	wantCode(t, "client without trust", err, codes.Unavailable)
	if plain := start(t, Options{}); plain.Certificate() != nil {
		t.Errorf("collector without TLS has a certificate")
	}
}

func TestIdleConnections(t *testing.T) {
	c := start(t, Options{IdleTimeout: 100 * time.Millisecond})
	for name, hello := range map[string]string{
		"silent":   "",
		"HTTP/1.1": "GET /javaagent/v5/initConfig?licenseKey=k HTTP/1.1\r\nHost: x\r\n\r\n",
		"HTTP/2":   "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
		"damaged":  "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", c.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, hello)
		conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
			t.Errorf("%s: connection stays open", name)
		}
	}
	// gRPC: the client sees its connection closed, and the next poll needs another. On a
	// busy machine a connection may be idle for that long before it is first used.
	cl := dial(t, c)
	poll := func() {
		t.Helper()
		ctx := testContext(t)
		_, err := cl.poll(DemoKey, "u")
		for ; err != nil && ctx.Err() == nil; _, err = cl.poll(DemoKey, "u") {
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	poll()
	for ctx, state := testContext(t), cl.conn.GetState(); state != connectivity.Idle; state = cl.conn.GetState() {
		if !cl.conn.WaitForStateChange(ctx, state) {
			t.Fatalf("gRPC: connection stays open, %v", state)
		}
	}
	poll()
	if polls := c.Requests(PollConfig); polls[0].Remote == polls[1].Remote {
		t.Errorf("gRPC: both polls came through one connection: %+v", polls)
	}
}
