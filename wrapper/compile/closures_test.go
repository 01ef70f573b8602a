package compile

import (
	"go/types"
	"testing"
)

type panickingImporter struct{}

func (panickingImporter) Import(string) (*types.Package, error) {
	panic("export data version 4 is greater than maximum supported version 2")
}

// If go/importer panics at export data, that is an error like others.
func TestArchiveImporter(t *testing.T) {
	pkg, err := archiveImporter{panickingImporter{}}.Import("fmt")
	if pkg != nil || err == nil {
		t.Errorf("Import = %v, %v, want an error", pkg, err)
	}
}
