// scavenger-wrap init: a settings file with everything explained.

package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/config"
)

func (cmd *commands) initCommand() *cli.Command {
	return &cli.Command{
		Name:  "init",
		Usage: "write a scavenger.toml in which every setting is explained",
		Description: "The file goes to the root of the module or workspace. With --from, it gets the\n" +
			"settings of a scavenger.conf, which is then no longer needed. A file that is\n" +
			"there is never overwritten. All other settings stand in it as comments: the file\n" +
			"works as it is.\n\n" +
			"Exit status 1: there is a settings file already, or no go.mod.",
		Flags: []cli.Flag{&cli.StringFlag{Name: "from", Usage: "convert a scavenger.conf: `FILE`"}},
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, "no arguments"); err != nil {
				return err
			}
			if err := cmd.init(c.String("from")); err != nil {
				return fmt.Errorf("init: %w", err)
			}
			return nil
		},
	}
}

func (cmd *commands) init(from string) error {
	source, err := cmd.buildSource()
	if err != nil {
		return err
	}
	root, modules, err := config.Root(source)
	if err != nil {
		return err
	}
	if root == "" {
		return errors.New("no go.mod here or above: run it in the module of your program")
	}
	var settings []config.Setting
	var notes []string
	conf := filepath.Join(root, config.PropertiesName)
	if from != "" {
		if _, err := os.Stat(from); err != nil {
			return fmt.Errorf("--from: %w", err)
		}
		given, err := config.Load(config.Source{Dir: source.Dir, File: from, Lookup: func(string) (string, bool) { return "", false }})
		if err != nil {
			return err
		}
		settings, notes = given.Settings, given.Notes
	} else if _, err := os.Stat(conf); err == nil {
		return fmt.Errorf("%s is there, and can be used as it is; scavenger-wrap init --from %s converts it", conf, conf)
	}
	file := filepath.Join(root, config.FileName)
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: edit it, or remove it first", file)
	}
	if err != nil {
		return err
	}
	if _, err := f.Write(settingsFile(modules, settings)); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	fmt.Fprintf(cmd.stdout, "%s written\n", indented(file, 2))
	for _, n := range notes {
		fmt.Fprintf(cmd.stdout, "%s\n", indented(n, 2))
	}
	if abs, _ := filepath.Abs(from); abs == conf {
		fmt.Fprintf(cmd.stdout, "remove %s: settings stand in one file\n", indented(conf, 2))
		return nil
	}
	written, err := cmd.buildConfig()
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.stdout, "Next: %s\n", indented(cmd.howToBuildAndRun(false, written.Run), 6))
	return nil
}

// settingsFile returns the text of a scavenger.toml with these settings, and all
// others as comments.
func settingsFile(modules []config.Module, settings []config.Setting) []byte {
	given := map[string]config.Setting{}
	for _, s := range settings {
		given[s.Key.Name] = s
	}
	var paths []string
	for _, m := range modules {
		paths = append(paths, m.Path)
	}
	var b bytes.Buffer
	b.WriteString("# Settings of scavenger-wrap. A line behind # is an example, or the default.\n" +
		"# scavenger-wrap scan shows what they mean for this module.\n")
	when := ""
	for i := range config.Keys {
		k := &config.Keys[i]
		if k.Ignored != "" || k.Refused != "" {
			continue
		}
		if w := k.When(); w != when {
			when = w
			if w == "build" {
				b.WriteString("\n# What is marked. These act when a program is built; a change compiles all\n# packages again.\n")
			} else {
				b.WriteString("\n# What the program does. These are built into it; where it runs, a variable\n# (SCAVENGER_SERVER_URL for serverUrl) comes before them.\n")
			}
		}
		b.WriteByte('\n')
		writeComment(&b, strings.ReplaceAll(k.Doc, "`", ""))
		s, ok := given[k.Name]
		switch {
		case ok:
			fmt.Fprintf(&b, "%s = %s\n", k.Name, tomlValue(s))
		case k.Name == "packages" && len(paths) > 0:
			fmt.Fprintf(&b, "#packages = %s\n", tomlValue(config.Setting{Key: k, List: paths}))
		case k.Default != "" && k.Kind != config.String:
			fmt.Fprintf(&b, "#%s = %s\n", k.Name, tomlValue(config.Setting{Key: k, Value: k.Default}))
		default:
			fmt.Fprintf(&b, "#%s = %s\n", k.Name, k.Example)
		}
	}
	return b.Bytes()
}

// writeComment writes text as comment lines of at most 80 columns.
func writeComment(b io.Writer, text string) {
	line := "#"
	for word := range strings.FieldsSeq(text) {
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > 80 {
			fmt.Fprintln(b, line)
			line = "#"
		}
		line += " " + word
	}
	fmt.Fprintln(b, line)
}

// tomlValue returns a value in the syntax of TOML.
func tomlValue(s config.Setting) string {
	if s.List != nil {
		quoted := make([]string, len(s.List))
		for i, e := range s.List {
			if s.Key.Kind == config.Markers && !strings.HasPrefix(e, "@") {
				e = "//" + e
			}
			quoted[i] = tomlString(e)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	if (s.Key.Kind == config.Bool || s.Key.Kind == config.Int) && !strings.Contains(s.Value, "$") {
		return strings.ToLower(s.Value)
	}
	return tomlString(s.Value)
}

// tomlString quotes a string: literally if there is a backslash in it, so that
// regular expressions stay readable. The escapes of JSON are those of TOML.
func tomlString(s string) string {
	if strings.Contains(s, `\`) && !strings.ContainsAny(s, "'\t\r\n") {
		return "'" + s + "'"
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s)
	return strings.TrimSuffix(b.String(), "\n")
}
