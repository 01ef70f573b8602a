package matrix

// A Row is one kind of build. The go command runs plain and with
// -toolexec=scavenger-wrap, and what comes out is compared.
type Row struct {
	List string // which list of docs/compatibility.md it stands in
	Name string

	Args    []string // flags and packages, after `go build`
	Env     []string
	Command string // another command of go's: "test", "vet"
	Cross   bool   // the program cannot run here
	Std     bool   // compiles a standard library of its own, which takes a minute
	Always  bool   // go test ./... runs it; the other rows run when they are named
	Needs   string // a program without which the row is skipped
	Script  string // a script in e2e/testdata that shows it instead
	Test    string // or a test of another package of e2e's: "buildcost.TestPlainCache"

	// Reason says why the row has another result than "works".
	Reason string

	Toolchains string // releases of Go that it is shown with; "" is the one that runs the tests
}

// everyRelease is for rows that the toolchain scripts show as well, and for
// scripts that run other releases when asked for by name.
const everyRelease = "1.24 to 1.27"

// Lists are the sections of docs/compatibility.md, in order.
var Lists = []string{"Flags", "Cross builds", "Tests", "Shapes", "Source", "The same program", "Cache", "Toolchains", "Chains and command lines"}

// Rows is the table.
var Rows = []Row{
	{List: "Flags", Name: "none", Args: []string{"."}, Toolchains: everyRelease, Always: true},
	{List: "Flags", Name: "-race", Args: []string{"-race", "."}, Needs: "gcc", Std: true},
	{List: "Flags", Name: "-asan", Args: []string{"-asan", "."}, Needs: "gcc", Std: true},
	{List: "Flags", Name: "-msan", Args: []string{"-msan", "."}, Env: []string{"CC=clang"}, Needs: "clang", Std: true},
	{List: "Flags", Name: "-trimpath", Args: []string{"-trimpath", "."}, Std: true},
	{List: "Flags", Name: "-cover", Args: []string{"-cover", "."}},
	{List: "Flags", Name: "-covermode=atomic -coverpkg=./...", Args: []string{"-cover", "-covermode=atomic", "-coverpkg=./...", "."}},
	{List: "Flags", Name: "-coverpkg=all", Args: []string{"-cover", "-coverpkg=all", "."}, Std: true},
	{List: "Flags", Name: "-covermode=count -coverpkg=std", Args: []string{"-cover", "-covermode=count", "-coverpkg=std", "."}, Std: true},
	{List: "Flags", Name: "-covermode=atomic -coverpkg=fmt,strconv", Args: []string{"-cover", "-covermode=atomic", "-coverpkg=fmt,strconv", "."}, Std: true},
	{List: "Flags", Name: "-coverpkg=strconv", Args: []string{"-cover", "-coverpkg=strconv", "."}, Std: true, Toolchains: everyRelease},
	{List: "Flags", Name: "-gcflags=-N -l", Args: []string{"-gcflags=-N -l", "."}},
	{List: "Flags", Name: "-gcflags=all=-N -l", Args: []string{"-gcflags=all=-N -l", "."}, Std: true},
	{List: "Flags", Name: "-gcflags=all=… and another -gcflags", Script: "build_gcflags_twice", Reason: "works on Linux; elsewhere refused, with a message, as the go command records only the last of several"},
	{List: "Flags", Name: "-gcflags=-e", Args: []string{"-gcflags=-e", "."}},
	{List: "Flags", Name: "-gcflags=-m", Script: "mark_free", Toolchains: everyRelease},
	{List: "Flags", Name: "-ldflags=-s -w", Args: []string{"-ldflags=-s -w", "."}, Always: true},
	{List: "Flags", Name: "-ldflags=-X", Args: []string{"-ldflags=-X main.version=1.2", "."}},
	{List: "Flags", Name: "-ldflags=-extldflags=-static", Args: []string{"-ldflags=-linkmode=external -extldflags=-static", "-tags=netgo,osusergo", "./withcgo"}, Needs: "gcc"},
	{List: "Flags", Name: "-linkmode=external", Args: []string{"-ldflags=-linkmode=external", "."}, Needs: "gcc", Always: true},
	{List: "Flags", Name: "-asmflags", Args: []string{"-asmflags=-D=X", "."}},
	{List: "Flags", Name: "-tags", Args: []string{"-tags=extra", "."}},
	{List: "Flags", Name: "-tags in GOFLAGS", Args: []string{"."}, Env: []string{"GOFLAGS=-tags=extra,netgo,osusergo"}},
	{List: "Flags", Name: "-tags=netgo,osusergo", Args: []string{"-tags=netgo,osusergo", "."}},
	{List: "Flags", Name: "-pgo=FILE", Script: "build_pgo"},
	{List: "Flags", Name: "-buildmode=exe", Args: []string{"-buildmode=exe", "."}},
	{List: "Flags", Name: "-buildmode=pie", Args: []string{"-buildmode=pie", "."}, Std: true},
	{List: "Flags", Name: "-buildmode=c-archive", Script: "build_c_library"},
	{List: "Flags", Name: "-buildmode=c-shared", Script: "build_c_library"},
	{List: "Flags", Name: "-buildmode=plugin", Script: "build_plugin", Reason: "host and plugin work; the plugin's own functions are not reported"},
	{List: "Flags", Name: "-mod=readonly", Args: []string{"-mod=readonly", "."}},
	{List: "Flags", Name: "-mod=mod", Args: []string{"-mod=mod", "."}},
	{List: "Flags", Name: "-mod=vendor", Script: "build_vendor"},
	{List: "Flags", Name: "-modfile", Args: []string{"-modfile=other.mod", "."}, Always: true},
	{List: "Flags", Name: "-overlay", Args: []string{"-overlay=overlay.json", "."}, Always: true},
	{List: "Flags", Name: "-C", Args: []string{"-C=second", "."}},
	{List: "Flags", Name: "-a", Args: []string{"-a", "."}, Std: true},
	{List: "Flags", Name: "-p=1", Args: []string{"-p=1", "."}},
	{List: "Flags", Name: "-buildvcs", Script: "build_vcs"},
	{List: "Flags", Name: "-work, -x", Script: "build_verbose"},
	{List: "Flags", Name: "GOEXPERIMENT", Args: []string{"."}, Env: []string{"GOEXPERIMENT=nodwarf5"}, Std: true},
	{List: "Flags", Name: "GOAMD64", Args: []string{"."}, Env: []string{"GOARCH=amd64", "GOAMD64=v2"}, Std: true, Cross: true},
	{List: "Flags", Name: "GOFIPS140", Args: []string{"."}, Env: []string{"GOFIPS140=v1.0.0"}, Std: true},
	{List: "Flags", Name: "CGO_ENABLED=0", Args: []string{"."}, Env: []string{"CGO_ENABLED=0"}},
	{List: "Flags", Name: "CGO_ENABLED=1", Args: []string{"./withcgo"}, Env: []string{"CGO_ENABLED=1"}, Needs: "gcc"},
	{List: "Flags", Name: "CGO_CFLAGS", Args: []string{"./withcgo"}, Env: []string{"CGO_CFLAGS=-O1 -g -DX=1"}, Needs: "gcc"},
	{List: "Flags", Name: "GOFLAGS, path with spaces", Script: "build_goflags"},

	{List: "Cross builds", Name: "linux/arm64", Args: []string{"."}, Env: []string{"GOOS=linux", "GOARCH=arm64"}, Cross: true, Std: true},
	{List: "Cross builds", Name: "linux/386", Args: []string{"."}, Env: []string{"GOOS=linux", "GOARCH=386"}, Cross: true, Std: true},
	{List: "Cross builds", Name: "darwin/arm64", Args: []string{"."}, Env: []string{"GOOS=darwin", "GOARCH=arm64"}, Cross: true, Std: true},
	{List: "Cross builds", Name: "windows/amd64", Args: []string{"."}, Env: []string{"GOOS=windows", "GOARCH=amd64"}, Cross: true, Std: true},
	{List: "Cross builds", Name: "js/wasm", Args: []string{"."}, Env: []string{"GOOS=js", "GOARCH=wasm"}, Cross: true, Std: true},
	{List: "Cross builds", Name: "wasip1/wasm", Args: []string{"."}, Env: []string{"GOOS=wasip1", "GOARCH=wasm"}, Cross: true, Std: true},

	{List: "Tests", Name: "go test", Command: "test", Args: []string{"-v", "./..."}, Toolchains: everyRelease, Always: true},
	{List: "Tests", Name: "go test -cover", Command: "test", Args: []string{"-cover", "./..."}, Always: true},
	{List: "Tests", Name: "go test -coverpkg=./...", Command: "test", Args: []string{"-coverpkg=./...", "./..."}},
	{List: "Tests", Name: "go test -race", Command: "test", Args: []string{"-race", "./lib"}, Needs: "gcc", Std: true},
	{List: "Tests", Name: "go test -bench", Command: "test", Args: []string{"-run=^$", "-bench=NoSuch", "./lib"}},
	{List: "Tests", Name: "go test -fuzz", Command: "test", Args: []string{"-run=^$", "-fuzz=FuzzUsed", "-fuzztime=10x", "./lib"}},
	{List: "Tests", Name: "go test -c, -json, -coverprofile, cached", Script: "test_profile"},
	{List: "Tests", Name: "go vet", Command: "vet", Args: []string{"./..."}, Toolchains: everyRelease},
	{List: "Tests", Name: "go list -export", Command: "list", Args: []string{"-export", "-f={{.ImportPath}} {{.Name}}", "./..."}, Always: true},
	{List: "Tests", Name: "go run", Command: "run", Args: []string{"./second"}},
	{List: "Tests", Name: "go install", Script: "build_install"},
	{List: "Tests", Name: "internal and external tests, variants, TestMain", Script: "test_variants"},
	{List: "Tests", Name: "AllocsPerRun, goroutine counts, cached results", Script: "test_inert"},

	{List: "Shapes", Name: "several mains in go build ./...", Script: "build_mains"},
	{List: "Shapes", Name: "main outside the pattern", Script: "build_main_outside"},
	{List: "Shapes", Name: "single files, no go.mod, GO111MODULE=off", Script: "build_no_module"},
	{List: "Shapes", Name: "go.work", Script: "build_workspace"},
	{List: "Shapes", Name: "vendored", Script: "build_vendor"},
	{List: "Shapes", Name: "pkg@version", Script: "build_install_version"},
	{List: "Shapes", Name: "go 1.12 in go.mod, //go:build go1.22", Script: "build_old_language"},
	{List: "Shapes", Name: "700 files, response files", Script: "build_large"},
	{List: "Shapes", Name: "700 files in a path with spaces", Script: "toolchain_1_27", Toolchains: "1.27"},
	{List: "Shapes", Name: "#cgo LDFLAGS above 128 kB", Script: "build_long_ldflags", Reason: "works with scavenger-wrap go, and with a link to scavenger-wrap that is called compile: the go command writes response files for programs of such a name only, and starts others with an argument list that is too long"},

	{List: "Source", Name: "cgo, //export, callbacks, assembly, //line", Script: "build_sources"},
	{List: "Source", Name: "BOM, CRLF, one line, shadowed names, non-ASCII", Script: "build_source_text"},
	{List: "Source", Name: "generics, iterators, labels, several init, _", Script: "build_source_text"},
	{List: "Source", Name: "embed, linkname, nosplit, dot and blank imports", Script: "build_source_text"},
	{List: "Source", Name: "//go:wasmexport", Args: []string{"-buildmode=c-shared", "./wasm"}, Env: []string{"GOOS=wasip1", "GOARCH=wasm"}, Cross: true, Std: true},

	{List: "The same program", Name: "panics, runtime.Caller, debug.Stack", Script: "same_stack", Toolchains: everyRelease},
	{List: "The same program", Name: "inlined functions and literals in stacks", Script: "same_stack", Toolchains: everyRelease},
	{List: "The same program", Name: "runtime/coverage", Script: "mark_free"},
	{List: "The same program", Name: "libraries' own tests", Test: "corpus.TestQuickSubjects"},
	{List: "The same program", Name: "compile errors", Script: "error_compile"},
	{List: "The same program", Name: "link errors", Script: "error_link"},
	{List: "The same program", Name: "vet findings", Script: "same_findings"},
	{List: "The same program", Name: "order of initialisation", Script: "same_init_order"},
	{List: "The same program", Name: "cover profiles", Script: "test_profile"},
	{List: "The same program", Name: "static stays static, no path of the build", Script: "same_static"},
	{List: "The same program", Name: "lines in the debug information", Script: "same_static"},
	{List: "The same program", Name: "reproducible", Script: "same_binary"},
	{List: "The same program", Name: "go version -m", Args: []string{"."}},

	{List: "Cache", Name: "plain and marked builds in one cache", Script: "cache_plain_wrapped_plain"},
	{List: "Cache", Name: "cold, warm, two builds at once", Script: "same_binary"},
	{List: "Cache", Name: "what is not marked, from plain builds", Test: "buildcost.TestPlainCache", Toolchains: everyRelease},
	{List: "Cache", Name: "read-only", Script: "cache_read_only"},
	{List: "Cache", Name: "GOCACHEPROG, also one that serves one go command at a time", Script: "cache_program"},
	{List: "Cache", Name: "a run-time setting only links", Script: "settings_file"},
	{List: "Cache", Name: "transient failures are not kept", Script: "cache_transient"},
	{List: "Cache", Name: "go commands of ours that are killed", Test: "buildcost.TestPlainCache"},

	{List: "Toolchains", Name: "Go 1.24", Script: "toolchain_1_24", Toolchains: "1.24"},
	{List: "Toolchains", Name: "Go 1.25", Script: "toolchain_1_25", Toolchains: "1.25"},
	{List: "Toolchains", Name: "Go 1.27", Script: "toolchain_1_27", Toolchains: "1.27"},
	{List: "Toolchains", Name: "Go 1.23 and older", Script: "error_old_go", Toolchains: "1.23", Reason: "refused, with a message"},
	{List: "Toolchains", Name: "gccgo", Script: "error_refused", Toolchains: "-", Reason: "refused, with a message: it starts no -toolexec when it compiles"},
	{List: "Toolchains", Name: "tinygo", Script: "error_refused", Toolchains: "-", Reason: "nothing is marked, as it starts no -toolexec; `scavenger-wrap tinygo` is refused, with a message"},
	{List: "Toolchains", Name: "a newer one, where it differs", Script: "toolchain_unknown", Toolchains: "-", Reason: "built without reporting, with a message"},

	{List: "Chains and command lines", Name: "scavenger-wrap go build, go test, go run", Script: "build_frontend_commands", Toolchains: everyRelease},
	{List: "Chains and command lines", Name: "scavenger-wrap go vet, go list -export", Script: "build_frontend_commands"},
	{List: "Chains and command lines", Name: "a link called go", Script: "build_as_go"},
	{List: "Chains and command lines", Name: "a relative path in -toolexec", Script: "error_refused", Reason: "refused, with a message, as the go command looks for it in the directory of each package"},
	{List: "Chains and command lines", Name: "-next", Script: "toolexec_next"},
	{List: "Chains and command lines", Name: "unknown tools, statuses, descriptors", Script: "toolexec_next"},
	{List: "Chains and command lines", Name: "response files", Script: "build_large"},
	{List: "Chains and command lines", Name: "other builders, all output in one directory", Script: "build_other_builder"},
	{List: "Chains and command lines", Name: "go generate, go run and go tool under GOFLAGS", Script: "run_build_tool"},
}
