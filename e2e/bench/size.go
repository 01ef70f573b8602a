// Code size, and what the inliner does.

package main

import (
	"context"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// writeSizes compares, for each library, its code in the test binary, the whole
// file, and the decisions of the inliner.
func (b *workspace) writeSizes(ctx context.Context, w io.Writer, libs []library, binaries map[string][]string) error {
	fmt.Fprintf(w, "### Machine code of the library (and size of the test binary), as a ratio to plain\n\n")
	writeHeader(w, "library", "plain, KiB")
	text, file := make([][]float64, len(variants)-1), make([][]float64, len(variants)-1)
	for _, lib := range libs {
		var sizes [][2]float64
		for _, binary := range binaries[lib.name] {
			size, err := codeSize(binary, lib.path())
			if err != nil {
				return err
			}
			info, err := os.Stat(binary)
			if err != nil {
				return err
			}
			sizes = append(sizes, [2]float64{size, float64(info.Size())})
		}
		fmt.Fprintf(w, "| %s | %.0f (%.0f) ", lib.name, sizes[0][0]/1024, sizes[0][1]/1024)
		for i, s := range sizes[1:] {
			t, f := s[0]/sizes[0][0], s[1]/sizes[0][1]
			text[i], file[i] = append(text[i], t), append(file[i], f)
			fmt.Fprintf(w, "| %.3f (%.3f) ", t, f)
		}
		fmt.Fprintln(w, "|")
	}
	fmt.Fprint(w, "| **geometric mean** | ")
	for i := range text {
		fmt.Fprintf(w, "| %.3f (%.3f) ", geomean(text[i]), geomean(file[i]))
	}
	fmt.Fprintf(w, "|\n\n")
	return b.writeInlining(ctx, w, libs)
}

// codeSize returns the bytes of machine code of a module's functions.
func codeSize(binary, module string) (float64, error) {
	f, err := elf.Open(binary)
	if err != nil {
		return 0, fmt.Errorf("%w (sizes are read from ELF files; -size=false goes without)", err)
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if err != nil {
		return 0, err
	}
	size := uint64(0)
	for _, s := range symbols {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC && (strings.HasPrefix(s.Name, module+".") || strings.HasPrefix(s.Name, module+"/")) {
			size += s.Size
		}
	}
	return float64(size), nil
}

var decision = regexp.MustCompile(`(?m)^\S+:\d+:\d+: (can inline|inlining call to) .*$`)

// writeInlining counts what the inliner does not do any more.
func (b *workspace) writeInlining(ctx context.Context, w io.Writer, libs []library) error {
	fmt.Fprintf(w, "### What the inliner does not do any more, of what it does for plain\n\n")
	fmt.Fprintf(w, "| library | functions, marked | functions, cover set | calls, marked | calls, cover set |\n| --- | --- | --- | --- | --- |\n")
	var sum [4][2]int
	for _, lib := range libs {
		var decided [3]map[string]bool
		for i, v := range variants[:3] {
			var err error
			if decided[i], err = b.decisions(ctx, lib, v); err != nil {
				return err
			}
		}
		var row [4][2]int
		for line := range decided[0] {
			kind := 0
			if strings.Contains(line, ": inlining call to ") {
				kind = 2
			}
			for v := range 2 {
				row[kind+v][1]++
				if !decided[v+1][line] {
					row[kind+v][0]++
				}
			}
		}
		writeLost(w, lib.name, row)
		for i, r := range row {
			sum[i][0], sum[i][1] = sum[i][0]+r[0], sum[i][1]+r[1]
		}
	}
	writeLost(w, "**all**", sum)
	fmt.Fprintln(w)
	return nil
}

func writeLost(w io.Writer, name string, row [4][2]int) {
	fmt.Fprintf(w, "| %s ", name)
	for _, r := range row {
		fmt.Fprintf(w, "| %d of %d (%.2f %%) ", r[0], r[1], 100*float64(r[0])/float64(max(r[1], 1)))
	}
	fmt.Fprintln(w, "|")
}

// decisions returns the lines in which the compiler says what it inlines, of the
// package with the benchmarks. A covered package's lines have other columns, so
// these are left out; functions of one name have lines of their own.
func (b *workspace) decisions(ctx context.Context, lib library, v variant) (map[string]bool, error) {
	args := append([]string{"build", "-gcflags=" + lib.importPath() + "=-m"}, v.flags(b.wrapper, lib.path())...)
	out, err := b.goCommand(ctx, lib, append(args, lib.pkg)...)
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	counted := map[string]int{}
	for _, line := range decision.FindAllString(out, -1) {
		place, what, _ := strings.Cut(line, ": ")
		file, rest, _ := strings.Cut(place, ":")
		number, _, _ := strings.Cut(rest, ":")
		key := file + ":" + number + ": " + what
		counted[key]++
		found[fmt.Sprint(key, " ", counted[key])] = true
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: -gcflags=-m says nothing", lib.name)
	}
	return found, nil
}
