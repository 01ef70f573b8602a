// Reading what callgrind counts.

package main

import (
	"fmt"
	"strconv"
	"strings"
)

// instructionsOf returns the instructions of a module's functions, themselves and not what
// they call, in a file that callgrind has written. main is of the module too. A name stands
// there once, behind a number in brackets, which is all that later lines have.
func instructionsOf(profile, module string) (total float64, err error) {
	ours, names := false, map[string]string{}
	lines := strings.Split(profile, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.HasPrefix(line, "fn="):
			number, name, named := strings.Cut(line[len("fn="):], " ")
			if named {
				names[number] = name
			}
			name = names[number]
			ours = strings.HasPrefix(name, module+".") || strings.HasPrefix(name, module+"/") || strings.HasPrefix(name, "main.")
		case strings.HasPrefix(line, "cfn="):
			if number, name, named := strings.Cut(line[len("cfn="):], " "); named {
				names[number] = name
			}
		case strings.HasPrefix(line, "calls="):
			i++ // what the call took
		case ours && line != "" && strings.ContainsRune("0123456789+-*", rune(line[0])):
			fields := strings.Fields(line)
			if len(fields) != 2 {
				return 0, fmt.Errorf("a line %q", line)
			}
			n, err := strconv.ParseFloat(fields[1], 64)
			if err != nil {
				return 0, err
			}
			total += n
		}
	}
	return total, nil
}
