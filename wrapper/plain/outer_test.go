package plain

import (
	"slices"
	"strings"
	"testing"
)

func TestParseOuterCommand(t *testing.T) {
	for _, test := range []struct {
		args, goflags string
		flags         string // kept ones
		keptGoflags   string
		roots, modes  string
		words         string
		tests, named  bool
	}{
		{args: "go build"},
		{args: "go build -o app -x -v ./cmd/app", roots: "./cmd/app"},
		{args: "go build --o=app -- ./cmd/app x", roots: "./cmd/app x"},
		{args: "go -C dir build -trimpath .", flags: "-trimpath", roots: "."},
		{args: "go -C=dir build .", roots: "."},
		{args: "go build -C dir -tags a,b -mod=mod .", flags: "-tags=a,b -mod=mod", roots: "."},
		{args: "go build -race -race=false -msan=1", flags: "-race -race=false -msan=1", modes: "-race -msan"},
		{args: "go build -buildmode=c-shared .", flags: "-buildmode=pie", roots: ".", modes: "-shared"},
		{args: "go build -buildmode exe .", flags: "-buildmode=exe", roots: "."},
		{args: "go build -gcflags=-m .", flags: "-gcflags=scavenger.invalid/none=-m", roots: ".", named: true},
		{args: "go build -gcflags= .", flags: "-gcflags=scavenger.invalid/none=", roots: ".", named: true},
		{args: "go build -gcflags=all=-l -gcflags std=-B -gcflags=os/...=-m .", flags: "-gcflags=all=-l -gcflags=std=-B -gcflags=os/...=-m", roots: ".", words: "-l -B"},
		{args: "go build .", goflags: "-toolexec=scavenger-wrap -mod=vendor -v -count=1 -gcflags=-l", keptGoflags: "-mod=vendor -gcflags=scavenger.invalid/none=-l", roots: ".", named: true},
		{args: "go build -cover -coverpkg=./... -pgo=off -ldflags -s -p=1 .", flags: "-p=1", roots: "."},
		{args: "go run -exec env main.go util.go x.go.txt -race", roots: "main.go util.go"},
		{args: "go run ./cmd/app a.go -x", roots: "./cmd/app"},
		{args: "go test", tests: true},
		{args: "go test -run Foo -v ./a ./b -race -count=1 -args ./c -msan", flags: "-race", roots: "./a ./b", modes: "-race", tests: true},
		{args: "go test -test.run=Foo ./a -c", roots: "./a", tests: true},
		{args: "go test ./a -- -race", roots: "./a", tests: true},
		{args: "go test ./a -race golden -msan", flags: "-race", roots: "./a", modes: "-race", tests: true},
		{args: "go vet -vettool=x ./...", roots: "./...", tests: true},
		{args: "go list -export -json=Export -deps .", roots: "."},
		{args: "go list -test -export -f {{.}} .", roots: ".", tests: true},
		{args: "go install ./...", roots: "./..."},
	} {
		c := new(OuterCommand)
		if err := c.parse(strings.Fields(test.args)[1:], strings.Fields(test.goflags)); err != nil {
			t.Errorf("%s: %v", test.args, err)
			continue
		}
		for _, field := range []struct {
			name string
			got  []string
			want string
		}{{"flags", c.flags, test.flags}, {"goflags", c.goflags, test.keptGoflags}, {"roots", c.roots, test.roots},
			{"modes", c.modes, test.modes}, {"words", c.words, test.words}} {
			if !slices.Equal(field.got, strings.Fields(field.want)) {
				t.Errorf("%s (GOFLAGS=%s): %s: %q, want %q", test.args, test.goflags, field.name, field.got, field.want)
			}
		}
		if c.tests != test.tests || c.named != test.named {
			t.Errorf("%s: tests %v, named %v", test.args, c.tests, c.named)
		}
	}
}

// A command line with a part that we do not know is refused.
func TestParseOuterCommandRefuses(t *testing.T) {
	for _, args := range []string{
		"go", "go -C dir", "go generate ./...", "go tool staticcheck", "go mod tidy",
		"go build -a .", "go build -linkshared .", "go build -buildmode=plugin .", "go build -buildmode=shared std",
		"go build -compiler=gccgo .", "go build -pkgdir=x .", "go build -wonder .", "go build -wonder=1 .", "go build -tags",
		"go run example.com/cmd@latest", "go install example.com/cmd@v1.2.3",
		"go test -update ./...", "go test ./... -update", "go vet -printf=false .", "go list -m all",
	} {
		c := new(OuterCommand)
		if err := c.parse(strings.Fields(args)[1:], nil); err == nil && c.noPlain == nil {
			t.Errorf("%s: taken for known: flags %q, packages %q", args, c.flags, c.roots)
		}
	}
	if err := new(OuterCommand).parse([]string{"build"}, []string{"-wonder"}); err == nil {
		t.Error("GOFLAGS=-wonder: taken for known")
	}
}

func TestStdlibFlags(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"go build -gcflags=all=-l -gcflags=-N .", "-gcflags=all=-l -gcflags=scavenger.invalid/none=-N"},
		{"go build -a -race -gcflags=-l -asmflags=-S ./a std mime net/... ... /tmp/x example.com/app main.go",
			"-race -gcflags=scavenger.invalid/none=-l -gcflags=std=-l -gcflags=mime=-l -gcflags=net/...=-l -gcflags=...=-l " +
				"-asmflags=scavenger.invalid/none=-S -asmflags=std=-S -asmflags=mime=-S -asmflags=net/...=-S -asmflags=...=-S"},
		{"go install -gcflags=x/...=-scavenger=12 -gcflags=-scavenger=12 std", "-gcflags=x/...= -gcflags=scavenger.invalid/none= -gcflags=std="},
		{"go run -gcflags=std=-l example.com/cmd@latest", "-gcflags=std=-l"},
	} {
		c := new(OuterCommand)
		if err := c.parse(strings.Fields(test.args)[1:], nil); err != nil {
			t.Errorf("%s: %v", test.args, err)
			continue
		}
		if got := c.stdlibFlags(c.flags); !slices.Equal(got, strings.Fields(test.want)) {
			t.Errorf("%s: %q, want %q", test.args, got, test.want)
		}
	}
}
