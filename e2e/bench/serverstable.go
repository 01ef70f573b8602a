// The tables of servers under load.

package main

import (
	"fmt"
	"io"
)

// The figures that are compared by ratio.
func cpuOf(loop int) func(observation) float64 {
	return func(o observation) float64 { return o.loops[loop].cpu }
}

func p99Of(loop int) func(observation) float64 {
	return func(o observation) float64 { return o.loops[loop].p99 }
}

// ratio compares a deployment with plain, round by round.
func (t *trial) ratio(deployment int, value func(observation) float64) ratio {
	var list []float64
	for round, o := range t.collected[deployment] {
		list = append(list, value(o)/value(t.collected[0][round]))
	}
	return meanRatio(list)
}

// within returns how well the CPU time of the marked deployments is known: that of the one
// that is known least.
func (t *trial) within() float64 {
	worst := 0.0
	for i, d := range deployments {
		if d.build != 1 {
			continue
		}
		for loop := range 2 {
			worst = max(worst, t.ratio(i, cpuOf(loop)).within)
		}
	}
	return worst
}

// median returns the median of a figure over the rounds.
func (t *trial) median(deployment int, value func(observation) float64) float64 {
	var list []float64
	for _, o := range t.collected[deployment] {
		list = append(list, value(o))
	}
	return quantile(list, 0.5)
}

// write writes what a trial came to.
func (t *trial) write(w io.Writer, opts serverOptions) {
	fmt.Fprintf(w, "### %s\n\n%d rounds of %d requests over %d connections", t.name(), len(t.collected[0]), t.requests, opts.connections)
	if t.within() > opts.within {
		fmt.Fprintf(w, "; **the interval of a marked ratio is wider than ± %.1f %%**: it takes more rounds (-most), or a quieter machine", opts.within*100)
	}
	fmt.Fprintln(w, ".")
	titles := [2]string{"Closed loop, as much as the server can do", fmt.Sprintf("Open loop, %.0f requests a second", t.rate)}
	for loop, title := range titles {
		fmt.Fprintf(w, "\n%s:\n\n", title)
		fmt.Fprintf(w, "| variant | CPU a request, µs | ratio | requests/s | p50, ms | p99, ms | p99.9, ms | p99, ratio | memory, MiB | allocations a request | collections a 1,000 |\n")
		fmt.Fprintf(w, "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
		for i, d := range deployments {
			of := func(value func(f figures) float64) float64 {
				return t.median(i, func(o observation) float64 { return value(o.loops[loop]) })
			}
			cpu, p99 := "", ""
			if i > 0 {
				cpu, p99 = t.ratio(i, cpuOf(loop)).String(), t.ratio(i, p99Of(loop)).String()
			}
			fmt.Fprintf(w, "| %s | %.2f | %s | %.0f | %.2f | %.2f | %.2f | %s | %.0f | %.1f | %.2f |\n", d.name, of(func(f figures) float64 { return f.cpu * 1e6 }), cpu,
				of(func(f figures) float64 { return f.rate }), of(func(f figures) float64 { return f.p50 * 1000 }), of(func(f figures) float64 { return f.p99 * 1000 }),
				of(func(f figures) float64 { return f.p999 * 1000 }), p99, t.median(i, func(o observation) float64 { return float64(o.memory) / (1 << 20) }),
				of(func(f figures) float64 { return f.allocs }), of(func(f figures) float64 { return f.cycles }))
		}
	}
	fmt.Fprintln(w)
}

// String returns the ratio as tables have it. An interval that is wider than the ratio says
// nothing.
func (r ratio) String() string {
	if r.within > 1 {
		return fmt.Sprintf("%.3f ± ?", r.value)
	}
	return fmt.Sprintf("%.3f ± %.1f %%", r.value, r.within*100)
}

// writeDeployments writes the head of a table with ratios of all but the first.
func writeDeployments(w io.Writer, list []deployment, first ...string) {
	for _, d := range list[1:] {
		first = append(first, d.name)
	}
	writeColumns(w, first)
}

// writeServerSummary writes the CPU time a request of all trials, as a ratio to plain.
func writeServerSummary(w io.Writer, trials []*trial) {
	fmt.Fprint(w, "### CPU time a request, as a ratio to plain\n\n")
	writeDeployments(w, deployments, "server", "loop")
	all := make([][]float64, len(deployments)-1)
	for _, t := range trials {
		for loop, name := range []string{"closed", "open"} {
			fmt.Fprintf(w, "| %s | %s |", t.name(), name)
			for i := range all {
				r := t.ratio(i+1, cpuOf(loop))
				all[i] = append(all[i], r.value)
				fmt.Fprintf(w, " %s |", r)
			}
			fmt.Fprintln(w)
		}
	}
	writeSummary(w, all, "")
}
