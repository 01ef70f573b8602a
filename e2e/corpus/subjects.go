package main

// A subject is a library whose tests are run, or a program that is built.
type subject struct {
	name, module string // module@version
	stresses     string
	remove       []string // files of the module that keep it from building alone

	test []string // arguments of go test

	build []string   // arguments of go build
	smoke [][]string // arguments of the program's smoke runs; none: it is only built
	stdin string     // what each of them reads
	race  string     // start of a line that a goroutine prints anywhere in the output, or not at all
}

// subjects are public modules, written without regard to scavenger-wrap.
var subjects = []subject{
	{name: "reflect2", module: "github.com/modern-go/reflect2@v1.0.2", build: []string{"."}, stresses: "go 1.12 language, linkname, no bodies"},
	{name: "lo", module: "github.com/samber/lo@v1.53.0", build: []string{"./..."}, stresses: "610 generic functions, iterators, go 1.18 language"},
	{name: "xsync", module: "github.com/puzpuzpuz/xsync/v4@v4.5.0", test: []string{"-short", "./..."}, stresses: "generic receivers, concurrency"},
	{name: "chi", module: "github.com/go-chi/chi/v5@v5.5.0", test: []string{"./..."}, stresses: "prints stacks, several init"},
	{name: "zap", module: "go.uber.org/zap@v1.28.0", test: []string{"./..."}, stresses: "runtime.Callers depth, lines, function names"},
	{name: "logrus", module: "github.com/sirupsen/logrus@v1.10.2", test: []string{"./..."}, stresses: "finds its caller by function names"},
	{name: "goleak", module: "go.uber.org/goleak@v1.3.0", test: []string{"./..."}, stresses: "lists all goroutines, reads stacks"},
	{name: "is", module: "github.com/matryer/is@v1.4.1", test: []string{"."}, stresses: "reads its caller's source at the caller's line"},
	{name: "routine", module: "github.com/timandy/routine@v1.1.6", test: []string{"./..."}, stresses: "storage in the runtime's goroutines, by assembly"},
	{name: "mpatch", module: "github.com/undefinedlabs/go-mpatch@v1.0.7", test: []string{"-gcflags=-l", "."}, stresses: "overwrites the machine code of functions"},
	{name: "hcl", module: "github.com/hashicorp/hcl/v2@v2.25.0", test: []string{"./..."}, stresses: "ragel output with //line, goto"},
	{name: "avo", module: "github.com/mmcloughlin/avo@v0.5.0", test: []string{"-short", "./build", "./reg", "./operand", "./printer", "./pass", "./ir", "./x86", "./tests/...", "./examples/..."}, stresses: "dot imports, a package of 6,343 functions, builds Go itself"},
	{name: "goja", module: "github.com/dop251/goja@v0.0.0-20260917113740-793a2a65c13b", test: []string{"."}, stresses: "3,041-function package, reflection"},
	{name: "fasthttp", module: "github.com/valyala/fasthttp@v1.78.0", test: []string{"-short", "-skip=TestRequestHeaderTrickledParseStaysLinear", "."}, stresses: "counts allocations"},
	{name: "compress", module: "github.com/klauspost/compress@v1.20.3", test: []string{"-short", "./zstd/...", "./huff0", "./fse", "./s2", "./flate", "./snappy", "./gzhttp"}, stresses: "assembly, unsafe, allocations, function println"},
	{name: "sonic", module: "github.com/bytedance/sonic@v1.15.5", remove: []string{"go.work", "go.work.sum"}, build: []string{"./..."}, stresses: "a compiler at run time, nosplit, linkname, 32 assembly files"},
	{name: "sqlite3", module: "github.com/mattn/go-sqlite3@v1.14.53", test: []string{"."}, stresses: "cgo with 24 exported callbacks"},
	{name: "sqlite", module: "modernc.org/sqlite@v1.62.0", build: []string{"."}, stresses: "functions of 7,500 lines, a type named uint"},

	{name: "hey", module: "github.com/rakyll/hey@v0.1.5", build: []string{"."}, smoke: [][]string{{"-h"}, {"-n", "0", "http://127.0.0.1:1"}}, stresses: "a small package main"},
	{name: "age", module: "filippo.io/age@v1.3.2", build: []string{"./cmd/age"}, smoke: [][]string{{"--help"}, {"--decrypt"}}, stdin: "no age file\n", stresses: "several mains in one module"},
	{name: "fzf", module: "github.com/junegunn/fzf@v0.65.2", build: []string{"."}, smoke: [][]string{{"--version"}, {"--filter=ab"}, {"--bash"}}, stdin: "abc\nxyz\naxb\nb\n", stresses: "blank functions, embed, build tags, go 1.20 language"},
	{name: "wazero", module: "github.com/tetratelabs/wazero@v1.12.0", build: []string{"./cmd/wazero"}, smoke: [][]string{{"version"}, {"-h"}, {"run", "nothing.wasm"}}, stresses: "assembly, linkname, code made at run time"},
	{name: "staticcheck", module: "honnef.co/go/tools@v0.8.2", build: []string{"./cmd/staticcheck"}, smoke: [][]string{{"-version"}, {"-list-checks"}, {"./config/...", "./pattern/..."}}, stresses: "go/packages, iterators"},
	{name: "task", module: "github.com/go-task/task/v3@v3.54.0", build: []string{"./cmd/task"}, smoke: [][]string{{"--version"}, {"--help"}}, stresses: "700 packages, generics, iterators"},
	{name: "badger", module: "github.com/dgraph-io/badger/v4@v4.9.6", build: []string{"./badger"}, smoke: [][]string{{"help"}}, race: "Listening for /debug HTTP requests", stresses: "a function named min, a type named mark, mmap"},
	{name: "caddy", module: "github.com/caddyserver/caddy/v2@v2.11.9", build: []string{"./cmd/caddy"}, smoke: [][]string{{"list-modules"}, {"help"}}, stresses: "registration in init functions"},
	{name: "prometheus", module: "github.com/prometheus/prometheus@v0.316.0", remove: []string{"go.work", "go.work.sum"}, build: []string{"-tags=remove_all_sd,enable_file_sd", "./cmd/prometheus"}, smoke: [][]string{{"--help"}}, stresses: "goyacc, a lexer of 2,089 lines, protobuf"},
	{name: "hugo", module: "github.com/gohugoio/hugo@v0.163.3", build: []string{"."}, smoke: [][]string{{"help"}}, stresses: "labels at the start of bodies, generics"},
	{name: "opa", module: "github.com/open-policy-agent/opa@v1.22.2", build: []string{"."}, smoke: [][]string{{"eval", "1+2"}}, stresses: "a package of 1,741 functions, comments after braces"},
	{name: "k6", module: "go.k6.io/k6@v1.8.1", build: []string{"."}, smoke: [][]string{{"version"}, {"--help"}}, stresses: "a JavaScript engine, linkname"},
}
