// Package output writes a report for those who read it: a function for each format.
// It knows nothing of data files.
//
// It may import wrapper/report, which has the data.
package output
