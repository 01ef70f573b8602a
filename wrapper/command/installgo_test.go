package command

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestIsGo(t *testing.T) {
	tool, err := filepath.Abs("compile")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args string
		want bool
	}{
		{"go", true},
		{"go build ./x", true},
		{"/opt/marked/go build ./x", true},
		{"GO.EXE version", true},
		{"go -C " + filepath.Dir(tool) + " build", true},
		{"go " + tool + " -V=full", false},
		{"go -config=x -next=y " + tool + " -p x", false},
		{"scavenger-wrap go build", false},
		{"gofmt x", false},
		{"", false},
	} {
		if got := IsGo(strings.Fields(test.args)); got != test.want {
			t.Errorf("IsGo(%q) = %v, want %v", test.args, got, test.want)
		}
	}
}
