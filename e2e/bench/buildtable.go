// The tables of the build cost.

package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// print prints the medians, in seconds of CPU and of elapsed time, and their ratio
// to those of plain.
func (b *bench) print(s subject) {
	fmt.Printf("\n%s, %s, %s/%s, %d CPUs, medians of %d\n", s.module, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), b.rounds)
	b.printTable("CPU", func(c cost) time.Duration { return c.cpu })
	b.printTable("time", func(c cost) time.Duration { return c.wall })
	for _, failure := range slices.Concat(b.unavailable, b.failures) {
		fmt.Printf("\nnot measured: %s\n", failure)
	}
}

func (b *bench) printTable(what string, value func(cost) time.Duration) {
	fmt.Printf("\n| %s (s) |", what)
	for _, m := range b.modes {
		fmt.Printf(" %s |", m.name)
	}
	fmt.Printf("\n|%s\n", strings.Repeat(" --- |", len(b.modes)+1))
	for _, row := range b.rows {
		fmt.Printf("| %s |", row)
		plain, ok := median(b.costs[[2]string{"plain", row}], value)
		if row == rowSetting { // of which plain has none: what compiles as much
			plain, ok = median(b.costs[[2]string{"plain", rowSwitched}], value)
		}
		for _, m := range b.modes {
			d, has := median(b.costs[[2]string{m.name, row}], value)
			switch {
			case !has:
				fmt.Print(" – |")
			case !ok || m.name == "plain":
				fmt.Printf(" %.2f |", d.Seconds())
			default:
				fmt.Printf(" %.2f (%.2f) |", d.Seconds(), float64(d)/float64(plain))
			}
		}
		fmt.Println()
	}
}

// median returns false if there are none.
func median(costs []cost, value func(cost) time.Duration) (time.Duration, bool) {
	if len(costs) == 0 {
		return 0, false
	}
	var values []time.Duration
	for _, c := range costs {
		values = append(values, value(c))
	}
	slices.Sort(values)
	return values[len(values)/2], true
}
