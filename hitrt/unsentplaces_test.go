//go:build go1.25 && unix && !nonetwork

// Tests of where unsent files are, and where there is no place for them.

package hitrt

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Where HOME is of no use, another place is, and where none is, that is said.
func TestUnsentPlaces(t *testing.T) {
	foreign := func(dir string) error { return os.Chown(dir, 65534, -1) }
	for name, spoil := range map[string]func(home string) error{
		"no HOME":                      os.Remove,
		"HOME is a file":               func(home string) error { _ = os.Remove(home); return os.WriteFile(home, nil, 0o600) },
		"HOME of another user":         foreign,
		"HOME of a group":              func(home string) error { return os.Chmod(home, 0o775) },
		"HOME of everybody":            func(home string) error { return os.Chmod(home, 0o777) },
		"a file above the place":       func(home string) error { return os.WriteFile(filepath.Join(home, ".local"), nil, 0o600) },
		"a directory of all above it":  func(home string) error { return makeAll(home, 0o777, ".local", "state") },
		"everybody may read the place": func(home string) error { return makeAll(home, 0o755, ".local", "state", "scavenger-wrap") },
		"the place is another's": func(home string) error {
			if err := makeAll(home, 0o700, ".local", "state", "scavenger-wrap"); err != nil {
				return err
			}
			return foreign(stateIn(home))
		},
		"a link of another's above the place": func(home string) error {
			if err := makeAll(home, 0o700, "target", "state"); err != nil {
				return err
			}
			link := filepath.Join(home, ".local")
			if err := os.Symlink("target", link); err != nil {
				return err
			}
			return os.Lchown(link, 65534, -1)
		},
		"the place is a link": func(home string) error {
			if err := makeAll(home, 0o700, ".local", "state", "target"); err != nil {
				return err
			}
			return os.Symlink("target", stateIn(home))
		},
		"the file is a link": func(home string) error {
			return spoilFile(home, func(path string) error { return os.Symlink("target", path) })
		},
		"the file is a directory": func(home string) error {
			return spoilFile(home, func(path string) error { return os.Mkdir(path, 0o700) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			home := newHome(t)
			if err := spoil(home); err != nil {
				if !errors.Is(err, fs.ErrPermission) {
					t.Fatal(err)
				}
				t.Skip(err) // only root gives files away
			}
			before := ""
			if name != "no HOME" {
				before = strings.Join(below(t, home), " ")
			}
			tmp := filepath.Join(t.TempDir(), "tmp")
			if err := makeAll(filepath.Dir(tmp), 0o777|os.ModeSticky, "tmp"); err != nil {
				t.Fatal(err)
			}
			for _, shared := range []string{tmp, filepath.Join(tmp, "missing")} {
				bubble(t, func(t *testing.T) {
					prog, fake := newProgram(60), newFake()
					fake.fault = collectorFaults["hangs"]
					pub, messages := newTestPublisher(prog, fake, toCollector("HOME="+home)...)
					pub.set.savePlaces = append(pub.set.savePlaces, savePlace{above: shared, below: []string{"scavenger-wrap"}, shared: true})
					go pub.run()
					prog.call(3)
					pub.exit()
					<-pub.done
					if _, calls := savedIn(t, pub.set.savePlaces[1].dir()); shared == tmp && len(calls) != 1 {
						t.Errorf("saved %v, want one call", calls)
					}
					lines := 1 // about the collector
					if shared != tmp {
						lines = 2
					}
					if text := messages.String(); strings.Count(text, "\n") != lines || !strings.Contains(text, "at exit") || strings.Contains(text, "is lost") != (shared != tmp) {
						t.Errorf("messages %q, want one about the collector, and one about the loss if there is no place", text)
					}
				})
			}
			if name != "no HOME" {
				if after := strings.Join(below(t, home), " "); after != before {
					t.Errorf("below HOME there is %q, and was %q", after, before)
				}
			}
		})
	}
}

// makeAll makes directories, one in the other, whose last one has a mode.
func makeAll(dir string, mode os.FileMode, names ...string) error {
	for i, name := range names {
		dir = filepath.Join(dir, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
		if i == len(names)-1 {
			return os.Chmod(dir, mode)
		}
	}
	return nil
}

// spoilFile puts something where the unsent file would be.
func spoilFile(home string, spoil func(path string) error) error {
	if err := makeAll(home, 0o700, ".local", "state", "scavenger-wrap"); err != nil {
		return err
	}
	set := loadSettings(newProgram(60), environment(toCollector("HOME="+home)...))
	set.applyDefaults()
	e := exporter{p: &publisher{set: set}}
	return spoil(e.unsentFile(&set.savePlaces[0]).Path)
}

// Whoever has more rights than who started it reads no HOME.
func TestUnsentPlacesElevated(t *testing.T) {
	set := loadSettings(&Program{Settings: `{"serverUrl":"http://c","apiKey":"k"}`}, nil)
	if len(set.savePlaces) != 1 || set.savePlaces[0].above != varTmp {
		t.Errorf("places %v, want one in %s", set.savePlaces, varTmp)
	}
	set = loadSettings(&Program{}, environment("XDG_STATE_HOME=/state", "HOME=/home"))
	if len(set.savePlaces) != 2 || set.savePlaces[0].dir() != "/state/scavenger-wrap" {
		t.Errorf("places %v, want one in XDG_STATE_HOME first", set.savePlaces)
	}
}

// What dataDir has is not called lost, also if a timer may run more of the program and the
// process is not said to have ended.
func TestUnsentPlacesDataDir(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fake, prog := newFake(), newProgram(60)
		fake.fault = collectorFaults["hangs"]
		pub, messages := newTestPublisher(prog, fake, toCollector("SCAVENGER_DATA_DIR="+newDataDir(t))...)
		pub.set.savePlaces = []savePlace{{above: filepath.Join(t.TempDir(), "missing"), below: []string{"scavenger-wrap"}}}
		pub.mayGoOn = true
		go pub.run()
		prog.call(3)
		pub.exit()
		<-pub.done
		if text := messages.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "at exit") {
			t.Errorf("messages %q, want one about the collector", text)
		}
	})
}

// What the collector accepted once is not called lost, although nothing can be saved.
func TestUnsentPlacesAccepted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fake, prog := newFake(), newProgram(60)
		pub, messages := newTestPublisher(prog, fake, toCollector()...)
		pub.set.savePlaces = []savePlace{{above: filepath.Join(t.TempDir(), "missing"), below: []string{"scavenger-wrap"}}}
		pub.sendOnceAndExit(t, fake, prog)
		if text := messages.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "at exit") {
			t.Errorf("messages %q, want one about the collector", text)
		}
	})
}
