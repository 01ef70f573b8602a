//go:build nonetwork

// In place of the exporter, in programs that are built with network = false: they have no
// collector, and so a publisher never has an exporter.

package hitrt

const hasNetwork = false

const inert = "dataDir is not set, and a program that was built with network = false has no collector"

type sending struct{}

func newSending() sending { return sending{} }

type exporter struct{ refused bool }

func newExporter(*publisher) *exporter { return nil }

func (*exporter) hit(int)      {}
func (*exporter) tick()        {}
func (*exporter) finish()      {}
func (*exporter) flush() error { return nil }

type savePlace struct{}

func (*settingsReader) savePlaces() []savePlace { return nil }

// serverURL refuses a serverUrl.
func (r *settingsReader) serverURL() string {
	if r.text("serverUrl") != "" {
		r.problem("serverUrl is set, but the program was built with network = false and cannot send: nothing is sent; " +
			"build it without that setting, or set SCAVENGER_DATA_DIR and send what is there with scavenger-wrap publish")
	}
	return ""
}

// inURL returns the key, as no URL has it.
func inURL(key string) string { return key }
