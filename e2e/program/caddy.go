// A workload for caddy, the web server: two backends and a front with most of
// the standard handlers, driven over loopback and stopped through its own API.

package program

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	caddyFront = "http://127.0.0.1:8980"
	caddyAdmin = "http://127.0.0.1:2919"
)

const caddyfile = `{
	admin 127.0.0.1:2919
	auto_https off
	persist_config off
	log {
		output file DIR/run.log
	}
}
http://127.0.0.1:8980 {
	root * DIR/site
	encode gzip zstd
	log
	templates
	header X-Test abc
	header /dir/* Cache-Control "max-age=60"
	handle /api/* {
		respond "{\"ok\":true, \"p\":\"{path}\"}" 200
	}
	handle_path /strip/* {
		rewrite * /dir{uri}
		file_server
	}
	redir /old /new 301
	basic_auth /secret/* {
		u HASH
	}
	@post method POST
	respond @post "posted {http.request.body}" 201
	reverse_proxy /proxy/* 127.0.0.1:8981 127.0.0.1:8982 {
		lb_policy round_robin
		header_up X-Up 1
	}
	handle_errors {
		respond "err {err.status_code}"
	}
	file_server browse
}
http://127.0.0.1:8981, http://127.0.0.1:8982 {
	respond "backend {http.request.header.X-Up}"
}
`

func runCaddy(ctx context.Context, bin, scratch string, env []string) error {
	binary := filepath.Join(bin, "caddy"+ExeSuffix())
	env = append(os.Environ(), append(env, "HOME="+scratch, "XDG_DATA_HOME="+scratch, "XDG_CONFIG_HOME="+scratch)...)
	config := filepath.Join(scratch, "Caddyfile")
	if err := writeSite(scratch); err != nil {
		return err
	}
	caddy := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, binary, args...)
		cmd.Env = env
		return cmd
	}
	hash, err := caddy("hash-password", "--plaintext", "pw").Output()
	if err != nil {
		return fmt.Errorf("caddy hash-password: %w", err)
	}
	text := strings.NewReplacer("DIR", scratch, "HASH", strings.TrimSpace(string(hash))).Replace(caddyfile)
	if err := os.WriteFile(config, []byte(text), 0o666); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"version"}, {"list-modules"}, {"adapt", "--config", config}, {"validate", "--config", config},
	} {
		if out, err := caddy(args...).CombinedOutput(); err != nil {
			return fmt.Errorf("caddy %q: %w\n%s", args, err, out)
		}
	}
	_ = caddy("fmt", config).Run() // its status tells whether the file was well formatted

	server := caddy("run", "--config", config)
	var log bytes.Buffer
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		return err
	}
	if err := driveCaddy(ctx, []byte(text)); err != nil {
		_ = server.Process.Kill()
		_ = server.Wait() // killed, which is no news
		return fmt.Errorf("%w\n%s", err, log.Bytes())
	}
	if err := server.Wait(); err != nil {
		return fmt.Errorf("caddy run: %w\n%s", err, log.Bytes())
	}
	return nil
}

func writeSite(scratch string) error {
	if err := os.MkdirAll(filepath.Join(scratch, "site", "dir", "sub"), 0o777); err != nil {
		return err
	}
	files := map[string]string{
		"index.html": `<html>{{.Req.Method}} {{now | date "2006"}} {{include "/dir/f1.txt"}} {{markdown "# hi"}}</html>`,
		"big.bin":    strings.Repeat("0123456789abcdef", 65536),
	}
	for i := range 20 {
		files[fmt.Sprintf("dir/f%d.txt", i)] = strings.Repeat(fmt.Sprintf("file %d\n", i), i*50+1)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(scratch, "site", filepath.FromSlash(name)), []byte(text), 0o666); err != nil {
			return err
		}
	}
	return nil
}

// A client sends requests one after another, each over a connection of its
// own, until one fails.
type client struct {
	ctx  context.Context
	http http.Client
	err  error
}

// do sends one request, with headers given as name, value, …, and returns the
// answer's body. While the server starts or reloads it is tried again.
func (c *client) do(method, url, body string, header ...string) []byte {
	for range 300 {
		if c.err != nil {
			return nil
		}
		req, err := http.NewRequestWithContext(c.ctx, method, url, strings.NewReader(body))
		if err != nil {
			c.err = err
			return nil
		}
		for i := 0; i+1 < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		if resp, err := c.http.Do(req); err == nil {
			answer, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			return answer
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-c.ctx.Done():
		}
	}
	c.err = fmt.Errorf("%s %s: no answer", method, url)
	return nil
}

func driveCaddy(ctx context.Context, caddyfile []byte) error {
	c := &client{ctx: ctx, http: http.Client{
		Timeout:       20 * time.Second,
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	c.do("GET", caddyAdmin+"/config/", "")
	for range 2 {
		for i := range 20 {
			c.do("GET", fmt.Sprintf("%s/dir/f%d.txt", caddyFront, i), "", "Accept-Encoding", []string{"gzip", "zstd", "identity"}[i%3])
		}
		for _, path := range []string{"/", "/index.html", "/dir/", "/dir", "/missing", "/api/x", "/strip/f3.txt", "/old", "/proxy/a", "/proxy/b", "/proxy/c"} {
			c.do("GET", caddyFront+path, "")
		}
		c.do("GET", caddyFront+"/dir/", "", "Accept", "application/json")
		c.do("HEAD", caddyFront+"/big.bin", "")
		c.do("GET", caddyFront+"/big.bin", "", "Range", "bytes=100-199")
		c.do("GET", caddyFront+"/big.bin", "", "Range", "bytes=0-1,5-9")
		c.do("GET", caddyFront+"/secret/x", "")
		c.do("GET", caddyFront+"/secret/x", "", "Authorization", "Basic dTpwdw==")
		c.do("POST", caddyFront+"/x", "hello")
		c.do("OPTIONS", caddyFront+"/dir/f1.txt", "")
	}
	config := c.do("GET", caddyAdmin+"/config/", "")
	for _, path := range []string{"/metrics", "/pki/ca/local", "/reverse_proxy/upstreams", "/debug/vars"} {
		c.do("GET", caddyAdmin+path, "")
	}
	c.do("POST", caddyAdmin+"/load", string(config), "Content-Type", "application/json")
	time.Sleep(time.Second) // let the reload finish
	c.do("GET", caddyFront+"/dir/f1.txt", "")
	c.do("POST", caddyAdmin+"/adapt", string(caddyfile), "Content-Type", "text/caddyfile")
	c.do("POST", caddyAdmin+"/stop", "")
	return c.err
}
