// The tables that a measurement ends with.

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func writeHeader(w io.Writer, first ...string) {
	for _, v := range variants[1:] {
		first = append(first, v.name)
	}
	writeColumns(w, first)
}

// writeColumns writes the head of a table.
func writeColumns(w io.Writer, names []string) {
	fmt.Fprintf(w, "| %s |\n|%s\n", strings.Join(names, " | "), strings.Repeat(" --- |", len(names)))
}

// writeRow writes ratios to plain.
func writeRow(w io.Writer, name string, ratios []float64, more ...string) {
	fmt.Fprintf(w, "| %s ", name)
	for _, cell := range more {
		fmt.Fprintf(w, "| %s ", cell)
	}
	for _, r := range ratios {
		fmt.Fprintf(w, "| %.3f ", r)
	}
	fmt.Fprintln(w, "|")
}

// writeSummary writes the rows below ratios by variant.
func writeSummary(w io.Writer, ratios [][]float64, more ...string) {
	var means, worst []float64
	for _, list := range ratios {
		means = append(means, geomean(list))
		worst = append(worst, slices.Max(list))
	}
	writeRow(w, "**geometric mean**", means, more...)
	writeRow(w, "**worst**", worst, more...)
}

// writeTimes writes CPU time on one core, and allocations.
func writeTimes(w io.Writer, all []*series) {
	fmt.Fprintf(w, "### CPU time, one core, as a ratio to plain\n\n")
	writeHeader(w, "benchmark", "plain, ns", "allocations, marked to plain", "quartiles of marked")
	ratios := make([][]float64, len(variants)-1)
	var single []*series
	for _, s := range all {
		if s.cores != 1 {
			continue
		}
		single = append(single, s)
		row := s.medians()
		for i, r := range row {
			ratios[i] = append(ratios[i], r)
		}
		marked := s.ratios(1)
		writeRow(w, s.lib.name+" "+s.benchmark, row, fmt.Sprintf("%.0f", s.time(0)), fmt.Sprintf("%.0f : %.0f", s.allocs(1), s.allocs(0)),
			fmt.Sprintf("%.3f – %.3f", quantile(marked, 0.25), quantile(marked, 0.75)))
	}
	writeSummary(w, ratios, "", "", "")
	writeRounds(w, single)
}

// writeRounds writes the geometric means of the rounds, each of which is a
// measurement by itself: how far they are apart says how good their median is.
func writeRounds(w io.Writer, all []*series) {
	if len(all) == 0 {
		return
	}
	for v := 1; v < len(variants); v++ {
		var means []float64
		for round := range all[0].samples[v] {
			var ratios []float64
			for _, s := range all {
				ratios = append(ratios, s.ratios(v)[round])
			}
			means = append(means, geomean(ratios))
		}
		fmt.Fprintf(w, "\nGeometric means of the rounds, %s: median %.3f, quartiles %.3f – %.3f.\n", variants[v].name,
			quantile(means, 0.5), quantile(means, 0.25), quantile(means, 0.75))
	}
	fmt.Fprintln(w)
}

// medians returns the ratios of all variants but plain: medians over the rounds.
func (s *series) medians() []float64 {
	var row []float64
	for v := 1; v < len(variants); v++ {
		row = append(row, quantile(s.ratios(v), 0.5))
	}
	return row
}

// writeParallel writes CPU time of parallel benchmarks by the number of cores.
func writeParallel(w io.Writer, all []*series) {
	fmt.Fprintf(w, "### CPU time, summed over the cores, of parallel benchmarks, as a ratio to plain on as many\n\n")
	writeHeader(w, "benchmark", "cores")
	ratios := map[int][][]float64{}
	for _, s := range all {
		if !slices.Contains(s.lib.parallel, s.benchmark) {
			continue
		}
		if ratios[s.cores] == nil {
			ratios[s.cores] = make([][]float64, len(variants)-1)
		}
		row := s.medians()
		for i, r := range row {
			ratios[s.cores][i] = append(ratios[s.cores][i], r)
		}
		writeRow(w, s.lib.name+" "+s.benchmark, row, fmt.Sprint(s.cores))
	}
	for cores := 1; ratios[cores] != nil; cores *= 2 {
		writeSummary(w, ratios[cores], fmt.Sprint(cores))
	}
	fmt.Fprintln(w)
}

func writeInstructions(w io.Writer, all []*series) {
	fmt.Fprintf(w, "### Instructions, as a ratio to plain\n\n")
	writeHeader(w, "benchmark")
	ratios := make([][]float64, len(variants)-1)
	for _, s := range all {
		if s.counts == nil {
			continue
		}
		var row []float64
		for i, c := range s.counts[1:] {
			row = append(row, c/s.counts[0])
			ratios[i] = append(ratios[i], c/s.counts[0])
		}
		writeRow(w, s.lib.name+" "+s.benchmark, row)
	}
	writeSummary(w, ratios)
	fmt.Fprintln(w)
}

// writeRaw writes all samples to dir, in the format of go test -bench.
func writeRaw(dir string, all []*series) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for v, variant := range variants {
		var b strings.Builder
		for _, s := range all {
			for _, x := range s.samples[v] {
				fmt.Fprintf(&b, "Benchmark%s/%s-%d %d %.2f ns/op %.0f allocs/op\n", s.lib.name, s.benchmark, s.cores, s.iterations[v], s.perIteration(v, x), x.allocs)
			}
		}
		name := filepath.Join(dir, strings.ReplaceAll(variant.name, " ", "_")+".txt")
		if err := os.WriteFile(name, []byte(b.String()), 0o666); err != nil {
			return err
		}
	}
	return nil
}
