// --format=html of report and plan: the source that the page shows, and the file that
// either is written to.

package command

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/output/html"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

func pageFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`"},
		&cli.StringFlag{Name: "source", Usage: "for html: take the source from the checkout in `DIR`, or with \"none\" show none; default: the working directory, if it is in a module"},
	}
}

// writeHTML writes a report as a page, with a plan, which may be nil, and the source in a
// directory.
func writeHTML(w io.Writer, r *report.Report, plan any, dir string) error {
	if dir == "none" {
		return html.Write(w, r, html.Options{Plan: plan})
	}
	source, err := html.OpenSource(dir)
	switch {
	case err == nil:
		defer source.Close()
	case dir != "" && errors.Is(err, errors.ErrUnsupported):
		return fmt.Errorf("--source: %q is not in a module: name the directory of its go.mod", dir)
	case !errors.Is(err, errors.ErrUnsupported):
		return fmt.Errorf("--source: %w", err)
	}
	return html.Write(w, r, html.Options{Plan: plan, Source: source})
}

// writeTo writes to a file, or to stdout if it has no name. What another program might read
// meanwhile is whole: the file gets its name at the end.
func writeTo(name string, stdout io.Writer, write func(io.Writer) error) error {
	if name == "" {
		return write(stdout)
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return writeInto(name, write) // a device or a pipe
	}
	tmp := name + ".tmp"
	if err := writeInto(tmp, write); err != nil {
		_ = os.Remove(tmp) // if it is there
		return err
	}
	return os.Rename(tmp, name)
}

func writeInto(name string, write func(io.Writer) error) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}
