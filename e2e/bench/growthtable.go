// The tables of what grows.

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// writeGrowth writes each figure for all sizes, and its exponents: over all sizes, in which
// what a figure begins with hides how it grows, and from the last but one to the last.
func writeGrowth(w io.Writer, what string, list []*size, count func(*size) int) {
	var x []float64
	fmt.Fprintf(w, "\n| %s |", what)
	for _, s := range list {
		x = append(x, float64(count(s)))
		fmt.Fprintf(w, " %d |", count(s))
	}
	fmt.Fprintf(w, " exponent | of the last step |\n|%s\n", strings.Repeat(" --- |", len(list)+3))
	names := map[string]bool{}
	for _, s := range list {
		for name := range s.figures {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		var y []float64
		fmt.Fprintf(w, "| %s |", name)
		for _, s := range list {
			value, ok := s.figures[name]
			if !ok {
				fmt.Fprint(w, " – |")
				continue
			}
			y = append(y, max(value, leastFigure))
			fmt.Fprintf(w, " %s |", figure(name, value))
		}
		if len(list) < 2 || len(y) < len(list) {
			fmt.Fprintln(w, " – | – |")
			continue
		}
		last := len(list) - 2
		fmt.Fprintf(w, " %.2f | %.2f |\n", exponent(x, y), exponent(x[last:], y[last:]))
	}
}

// leastFigure stands for what is too little to be measured: a microsecond.
const leastFigure = 1e-6

// figure returns seconds or bytes as tables have them.
func figure(name string, value float64) string {
	switch {
	case strings.Contains(name, "memory"), strings.HasPrefix(name, "file"):
		return fmt.Sprintf("%.1f MiB", value/(1<<20))
	case value < 0.1:
		return fmt.Sprintf("%.2f ms", value*1000)
	}
	return fmt.Sprintf("%.2f s", value)
}
