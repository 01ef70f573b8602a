package config

import (
	"bytes"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write docs/settings.md")

// docs/settings.md says what the table says.
func TestDocument(t *testing.T) {
	const file = "../docs/settings.md"
	if *update {
		if err := os.WriteFile(file, document(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, document()) {
		t.Errorf("%s is not what the table says; run the test with -update", file)
	}
}
