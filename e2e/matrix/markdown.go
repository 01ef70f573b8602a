package matrix

import (
	"fmt"
	"strings"
)

const heading = `# Compatibility

What is built and tested with scavenger-wrap, and the result. "works" means: the go
command prints the same as without it, the programs do what the plain ones do, and
what they report is right. "Go" lists the releases that a row is tested with.

This page is written from the table in e2e/matrix/rows.go, by
` + "`go test ./e2e/matrix -run Document -update`" + `; ` + "`go test -v -timeout 2h ./e2e -run Matrix`" + ` runs it.
`

// Markdown returns docs/compatibility.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString(heading)
	for _, list := range Lists {
		fmt.Fprintf(&b, "\n## %s\n\n| Build | Go | Result |\n| --- | --- | --- |\n", list)
		for _, row := range Rows {
			if row.List == list {
				fmt.Fprintf(&b, "| %s | %s | %s |\n", strings.ReplaceAll(row.Name, "|", "\\|"), row.toolchains(), row.result())
			}
		}
	}
	return b.String()
}

func (row Row) toolchains() string {
	if row.Toolchains == "" {
		return "1.26"
	}
	return row.Toolchains
}

func (row Row) result() string {
	result := "works"
	if row.Reason != "" {
		result = row.Reason
	}
	if row.Needs != "" {
		result += " (tested where there is " + row.Needs + ")"
	}
	return result
}
