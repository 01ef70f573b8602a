package main

import (
	"math"
	"strings"
	"testing"
)

func TestMeanRatio(t *testing.T) {
	// Logarithms 0.01, 0.02, 0.03: mean 0.02, deviation 0.01, and 4.303 deviations of it.
	r := meanRatio([]float64{math.Exp(0.03), math.Exp(0.01), math.Exp(0.02)})
	if want := math.Exp(0.02); math.Abs(r.value-want) > 1e-9 {
		t.Errorf("value = %v, want %v", r.value, want)
	}
	if want := math.Expm1(4.303 * 0.01 / math.Sqrt(3)); math.Abs(r.within-want) > 1e-9 {
		t.Errorf("within = %v, want %v", r.within, want)
	}
	if got, want := r.String(), "1.020 ± 2.5 %"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}

func TestMeanRatioOfOne(t *testing.T) {
	r := meanRatio([]float64{1.5})
	if math.Abs(r.value-1.5) > 1e-9 || !math.IsInf(r.within, 1) {
		t.Errorf("meanRatio of one = %v, want 1.5 and nothing known of it", r)
	}
	if got, want := r.String(), "1.500 ± ?"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}

func TestMeanRatioOfMany(t *testing.T) {
	list := make([]float64, 100)
	for i := range list {
		list[i] = 1 + float64(i%2)/10
	}
	if r := meanRatio(list); r.within < 0.008 || r.within > 0.011 {
		t.Errorf("within = %v, want about 0.0098", r.within)
	}
}

func TestExponent(t *testing.T) {
	x := []float64{10, 100, 5000}
	for _, want := range []float64{0, 0.5, 1, 2} {
		var y []float64
		for _, v := range x {
			y = append(y, 3*math.Pow(v, want))
		}
		if got := exponent(x, y); math.Abs(got-want) > 1e-9 {
			t.Errorf("exponent = %v, want %v", got, want)
		}
	}
}

func TestWriteGrowth(t *testing.T) {
	list := []*size{
		{packages: 1, functions: 100, figures: map[string]float64{"start, CPU": 0.001, "memory": 1 << 20}}, // the build's is not known
		{packages: 1, functions: 10_000, figures: map[string]float64{"start, CPU": 0.1, "memory": 10 << 20, "build, memory": 30 << 20}},
	}
	var b strings.Builder
	writeGrowth(&b, "functions", list, func(s *size) int { return s.packages * s.functions })
	want := `
| functions | 100 | 10000 | exponent | of the last step |
| --- | --- | --- | --- | --- |
| build, memory | – | 30.0 MiB | – | – |
| memory | 1.0 MiB | 10.0 MiB | 0.50 | 0.50 |
| start, CPU | 1.00 ms | 0.10 s | 1.00 | 1.00 |
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
