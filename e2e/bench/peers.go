// What builds cost with other tools that rewrite programs at build time.
//
// Each is used as its manual says, in the smallest configuration that it calls usual, and
// has its own copy of the sources and of the build cache. The rows are those of the build
// cost. What a tool adds to the program has to be compiled too, and is part of its price.

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	gobuild "go/build"
	"path/filepath"
	"strings"
)

const (
	orchestrionModule  = "github.com/DataDog/orchestrion@v1.15.0"
	orchestrionNetHTTP = "github.com/DataDog/dd-trace-go/contrib/net/http/v2@v2.12.0"
	skywalkingModule   = "github.com/apache/skywalking-go@v0.6.0"
)

var peers = []mode{
	{name: "plain", command: []string{"go", "build"}},
	{name: "toolexec", command: []string{"go", "build", "-toolexec=WRAPPER"}},
	{name: "front-end", command: []string{"WRAPPER", "go", "build"}},
	garble,
	{name: "orchestrion", tool: orchestrionModule, setup: setupOrchestrion, command: []string{"TOOL", "go", "build"}},
	{name: "otelc", tool: "go.opentelemetry.io/otelc/tool/cmd/otelc@v1.0.1", command: []string{"TOOL", "go", "build"}},
	{name: "loongsuite", tool: "github.com/alibaba/loongsuite-go-agent/tool/otel@v1.9.0", command: []string{"TOOL", "go", "build"}},
	{name: "xgo", tool: "github.com/xhd2015/xgo/cmd/xgo@v1.2.8", command: []string{"TOOL", "build"},
		env: []string{"HOME=CACHE-home", "GOPATH=" + gobuild.Default.GOPATH}}, // its copy of Go is in the home directory
	{name: "skywalking", tool: "github.com/apache/skywalking-go/tools/go-agent/cmd@v0.6.0", setup: setupSkywalking,
		command: []string{"go", "build", "-toolexec=TOOL", "-a"}},
}

func peersBench(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench peers", flag.ContinueOnError)
	programs := flags.String("programs", "fzf,badger,caddy", "programs to build")
	modeNames := flags.String("modes", strings.Join(names(peers, modeName), ","), "ways to build them; plain is needed for ratios")
	keep := flags.String("keep", "", "`directory` for the build caches to start from, so that another run need not fill them")
	rounds := flags.Int("rounds", 1, "builds of each kind; the table has the medians")
	b := &bench{rows: []string{rowSwitched, rowEdited, rowNothing}, tools: map[string]string{}}
	flags.Func("binary", "`mode=file` of a tool that is on this machine already, in place of the one to install; may be repeated", func(s string) error {
		name, file, ok := strings.Cut(s, "=")
		chosen, err := choose("mode", peers, modeName, name)
		if err != nil {
			return err
		}
		if !ok || chosen[0].tool == "" {
			return errors.New("want the name of another tool's mode and the path of its binary, as in garble=/usr/local/bin/garble")
		}
		b.tools[name], err = filepath.Abs(file)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	b.keep, b.rounds = *keep, *rounds
	var err error
	if b.modes, err = choose("mode", peers, modeName, *modeNames); err != nil {
		return err
	}
	return b.run(ctx, *programs)
}

// setupOrchestrion does what `orchestrion pin` does, but with one integration in place of
// all that there are.
func setupOrchestrion(ctx context.Context, _, source string) error {
	const tools = "//go:build tools\n\npackage tools\n\nimport (\n\t_ %q // integration\n\t_ %q // integration\n)\n"
	pathOf := func(module string) string { return module[:strings.LastIndex(module, "@")] }
	text := fmt.Sprintf(tools, pathOf(orchestrionModule), pathOf(orchestrionNetHTTP))
	if err := write(filepath.Join(source, "orchestrion.tool.go"), text); err != nil {
		return err
	}
	if _, err := timed(ctx, source, buildEnv(""), "go", "get", orchestrionModule, orchestrionNetHTTP); err != nil {
		return err
	}
	_, err := timed(ctx, source, buildEnv(""), "go", "mod", "tidy")
	return err
}

// setupSkywalking has the agent import its module into the main package.
func setupSkywalking(ctx context.Context, tool, source string) error {
	if _, err := timed(ctx, source, buildEnv(""), "go", "get", skywalkingModule); err != nil {
		return err
	}
	_, err := timed(ctx, source, append(buildEnv(""), "PWD="+source), tool, "-inject", source)
	return err
}
