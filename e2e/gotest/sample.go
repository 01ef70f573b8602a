package main

import "slices"

// always is what go test ./... compares: a program of each kind in sample.
var always = []string{
	"noinit", "varinit", "fixedbugs/issue31636", "closure", "recover4", "inline_callers", "fixedbugs/issue58300", "args", "bom",
}

// sample is what is compared when -run names the test: programs of every action that
// say most about what marks could change.
var sample = slices.Concat(always, []string{
	// The order of initialisation, and what is laid out without any.
	"initialize", "initcomma", "blank",
	"fixedbugs/bug446", "fixedbugs/bug473", "fixedbugs/bug484", "fixedbugs/issue5244",
	"fixedbugs/issue22881", "fixedbugs/issue23017", "fixedbugs/issue29362",
	"fixedbugs/issue43444", "fixedbugs/issue51913", "fixedbugs/issue66585", "fixedbugs/issue7316",
	"typeparam/list2",

	// Closures, and what they are called.
	"closure2", "fixedbugs/issue24488", "fixedbugs/issue29919", "typeparam/issue58513",

	// recover and defer.
	"recover", "recover1", "recover2", "deferprint", "fixedbugs/bug348", "fixedbugs/issue73917",

	// Stacks and lines.
	"convert5", "inline_caller", "inline_literal", "fixedbugs/bug347", "fixedbugs/issue17381",
	"fixedbugs/issue18149", "fixedbugs/issue4562", "fixedbugs/issue58300b", "fixedbugs/issue7690",

	// Sources and arguments.
	"crlf", "goprint", "helloworld",
})
