// How sure a ratio is.

package main

import "math"

// A ratio is a mean of ratios, with how far the true one may be from it: with 95 %
// confidence between value/(1+within) and value*(1+within).
type ratio struct{ value, within float64 }

// studentT has, by degrees of freedom from 1, what 95 % of Student's distribution lie
// within.
var studentT = []float64{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
	2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042}

// meanRatio returns the geometric mean of ratios, one of each round. Of a single one
// nothing is known but that.
func meanRatio(list []float64) ratio {
	n := float64(len(list))
	mean := math.Log(geomean(list))
	if len(list) < 2 {
		return ratio{math.Exp(mean), math.Inf(1)}
	}
	squares := 0.0
	for _, x := range list {
		squares += (math.Log(x) - mean) * (math.Log(x) - mean)
	}
	deviation := math.Sqrt(squares / (n - 1))
	t := studentT[min(len(list)-2, len(studentT)-1)]
	return ratio{math.Exp(mean), math.Expm1(t * deviation / math.Sqrt(n))}
}

// exponent returns the slope of y over x when both scales are logarithmic: 1 if y grows
// like x, 0 if it does not grow. It is that of the line with the least squares.
func exponent(x, y []float64) float64 {
	var sx, sy, sxx, sxy float64
	for i := range x {
		lx, ly := math.Log(x[i]), math.Log(y[i])
		sx, sy, sxx, sxy = sx+lx, sy+ly, sxx+lx*lx, sxy+lx*ly
	}
	n := float64(len(x))
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}
