// The servers that are put under load, and what they are asked for.

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
)

// A server is a program to put under load. It is its module's own, so all packages of the
// module have marks.
type server struct {
	name, module string
	pkg          string // its main package
	text         bool   // that is made of testdata/servers/NAME.txt
	scenarios    []scenario
}

// A scenario is one kind of load.
type scenario struct {
	name string
	// args returns the command line, and writes what it names.
	args func(p place) ([]string, error)
	dial func(p place) func() (connection, error)
	vars func(p place) string // the address of the server's expvar page
}

// A place is where one process of a server runs: a directory, free addresses, and a server
// that one in front of it can ask.
type place struct{ dir, addr, debug, behind string }

const ownPackage = "./scavengerbench"

var servers = []server{
	{name: "sqlite", module: "modernc.org/sqlite@v1.50.0", pkg: ownPackage, text: true, scenarios: []scenario{
		{name: "sqlite", args: ownArgs, vars: mainAddr, dial: func(p place) func() (connection, error) { return dialHTTP(p.addr, false, sqliteRequests()) }},
	}},
	{name: "caddy", module: "github.com/caddyserver/caddy/v2@v2.11.9", pkg: "./cmd/caddy", scenarios: []scenario{
		{name: "caddy files", args: caddySite("http", "file_server"), vars: debugAddr, dial: dialFiles(false)},
		{name: "caddy proxy", args: caddySite("http", "reverse_proxy BEHIND"), vars: debugAddr, dial: dialFiles(false)},
		{name: "caddy TLS", args: caddySite("https", "tls DIR/cert.pem DIR/key.pem\n\tfile_server"), vars: debugAddr, dial: dialFiles(true)},
	}},
	{name: "grpc", module: "google.golang.org/grpc@v1.83.2", pkg: ownPackage, text: true, scenarios: []scenario{
		{name: "grpc", args: ownArgs, vars: debugAddr, dial: dialGRPC},
	}},
	{name: "badger", module: "github.com/dgraph-io/badger/v4@v4.9.6", pkg: ownPackage, text: true, scenarios: []scenario{
		{name: "badger", args: ownArgs, vars: mainAddr, dial: func(p place) func() (connection, error) { return dialHTTP(p.addr, false, badgerRequests()) }},
	}},
	{name: "prometheus", module: "github.com/prometheus/prometheus@v0.316.0", pkg: ownPackage, text: true, scenarios: []scenario{
		{name: "prometheus", args: ownArgs, vars: mainAddr, dial: func(p place) func() (connection, error) { return dialHTTP(p.addr, false, prometheusRequests()) }},
	}},
}

func ownArgs(p place) ([]string, error) { return []string{p.addr, p.dir, p.debug}, nil }

func mainAddr(p place) string { return p.addr }

func debugAddr(p place) string { return p.debug }

// sqliteRequests are six reads of a row, a list, and a write.
func sqliteRequests() [][]byte {
	var list [][]byte
	for i := range 100 {
		for k := range 6 {
			list = append(list, httpGet(fmt.Sprintf("/item/%d", (i*61+k*167)%1000)))
		}
		list = append(list, httpGet(fmt.Sprintf("/list/%d", i*9)), httpPost(fmt.Sprintf("/item/%d", i*7), fmt.Sprintf(`{"price": %d}`, i)))
	}
	return list
}

// badgerRequests are eight reads, a range, and a write.
func badgerRequests() [][]byte {
	var list [][]byte
	for i := range 100 {
		for k := range 8 {
			list = append(list, httpGet(fmt.Sprintf("/key/%05d", (i*1009+k*2111)%20_000)))
		}
		list = append(list, httpGet(fmt.Sprintf("/range/%05d", i*190)), httpPost(fmt.Sprintf("/key/%05d", i*199), strings.Repeat("other ", 20)))
	}
	return list
}

// prometheusRequests are queries, and a sample for each series after every five of them.
func prometheusRequests() [][]byte {
	list := [][]byte{httpPost("/write", "")}
	for _, query := range []string{
		`requests_total{instance="host3"}`,
		`sum by (path) (rate(requests_total[5m]))`,
		`topk(5, requests_total)`,
		`avg_over_time(requests_total{path="/3"}[5m])`,
		`max by (instance) (requests_total) / on (instance) count by (instance) (requests_total)`,
	} {
		list = append(list, httpGet("/query?query="+url.QueryEscape(query)))
	}
	return list
}

// caddySite returns what starts caddy with a site of a few files.
func caddySite(scheme, directives string) func(place) ([]string, error) {
	const caddyfile = `{
	admin DEBUG
	auto_https off
	persist_config off
	log {
		output discard
	}
}
SCHEME://ADDR {
	root * DIR/site
	DIRECTIVES
}
`
	return func(p place) ([]string, error) {
		for i, name := range siteFiles() {
			if err := write(filepath.Join(p.dir, "site", name), siteText(i)); err != nil {
				return nil, err
			}
		}
		if scheme == "https" {
			if err := writeCertificate(filepath.Join(p.dir, "cert.pem"), filepath.Join(p.dir, "key.pem")); err != nil {
				return nil, err
			}
		}
		text := strings.NewReplacer("DIRECTIVES", directives, "SCHEME", scheme).Replace(caddyfile)
		text = strings.NewReplacer("DEBUG", p.debug, "ADDR", p.addr, "DIR", p.dir, "BEHIND", p.behind).Replace(text)
		config := filepath.Join(p.dir, "Caddyfile")
		return []string{"run", "--config", config}, write(config, text)
	}
}

// siteFiles are of 1 to 20 KiB.
func siteFiles() []string {
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprintf("dir%d/file%d.html", i%3, i))
	}
	return names
}

func siteText(i int) string { return strings.Repeat("<p>A line of it</p>\n", (i+1)*51) }

func dialFiles(secure bool) func(place) func() (connection, error) {
	var requests [][]byte
	for _, name := range siteFiles() {
		requests = append(requests, httpGet("/"+name))
	}
	return func(p place) func() (connection, error) { return dialHTTP(p.addr, secure, requests) }
}

// behind answers what a proxy asks.
func behind(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	_, _ = w.Write([]byte(siteText(1))) // the proxy went
}

// A grpcConnection calls a method that answers with as many bytes as it is asked for.
type grpcConnection struct {
	*grpc.ClientConn
	client testgrpc.BenchmarkServiceClient
}

func dialGRPC(p place) func() (connection, error) {
	return func() (connection, error) {
		c, err := grpc.NewClient(p.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return nil, err
		}
		return grpcConnection{c, testgrpc.NewBenchmarkServiceClient(c)}, nil
	}
}

func (c grpcConnection) do(n int) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := c.client.UnaryCall(ctx, &testgrpc.SimpleRequest{ResponseSize: int32(64 << (n % 6)), Payload: &testgrpc.Payload{Body: make([]byte, 128)}})
	return err
}

// prepare writes the server's main package into a copy of its module.
func (s server) prepare(source string) error {
	if !s.text {
		return nil
	}
	text, err := serverTexts.ReadFile("testdata/servers/" + s.name + ".txt")
	if err != nil {
		return err
	}
	dir := filepath.Join(source, s.pkg)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "main.go"), text, 0o666)
}
