# Shorthands, and nothing else: each line below is a command of README.md or
# CONTRIBUTING.md, to be typed as it stands where there is no make.

.PHONY: help build test test-heavy race bench lint demo

help: ## show this list
	@sed -n 's/^\([a-z-]*\): ## /\1	/p' Makefile | expand -t 14

build: ## install scavenger-wrap into $(go env GOPATH)/bin
	go install .

test: ## run all tests that compile no standard library of their own (minutes)
	go test -timeout 1h ./...

test-heavy: ## run those that do (more than an hour)
	go test -timeout 1h ./e2e -run Heavy
	go test -timeout 20m ./rewrite ./hitrt ./e2e/faults -run Heavy
	go test ./wrapper/... -run Toolchain
	go test -timeout 1h ./e2e/matrix -run Settings
	go test -timeout 30m ./e2e/matrix ./e2e/gotest ./e2e/corpus -run 'Builds|Sample|QuickSubjects'
	go test -timeout 40m ./e2e/buildcost -run PlainCache

race: ## run the unit tests with the race detector
	go test -race -short . ./config ./hitrt/... ./rewrite ./wrapper/... ./e2e/collector
	go test -C hitrt/api -race ./...

bench: ## measure what building fzf with marks costs
	go run ./e2e/bench build -programs=fzf -rounds=1

lint: ## run gofmt, vet and the linters
	gofmt -l .
	go mod tidy -diff
	go vet -tags=browser ./...
	go vet -tags=nonetwork ./hitrt/...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 -tags=browser ./...
	go run -C hitrt/api honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run
	go run -C hitrt/api github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run

demo: ## show the main job on a real program
	go run ./e2e/demo
