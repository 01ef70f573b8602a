// Wrong usage, and what to type instead.

package command

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// A usageError says what is wrong with the command line.
type usageError struct{ error }

// An optionError is a usageError of a flag that stands before the command, so that the help
// of the command does not list it.
type optionError struct{ error }

// An incompleteError says that there is a result, and what it lacks.
type incompleteError struct{ error }

// errHelpShown says that no command was given, and help was shown.
var errHelpShown = errors.New("help shown")

// errVersionShown says that the version was asked for in place of a command, and shown.
var errVersionShown = errors.New("version shown")

// flagError returns an error that says what to type in place of flags that do not parse.
// err is package flag's.
func flagError(c *cli.Context, err error, _ bool) error {
	prefix := ""
	if c.Command != nil && c.Command.Name != c.App.Name {
		prefix = c.Command.Name + ": "
	}
	name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !ok {
		return usageError{fmt.Errorf("%s%w", prefix, err)}
	}
	if prefix != "" && slices.Contains(flagNames(c.App.Flags), name) {
		return misplaced(name, c.Command.Name)
	}
	flags := c.App.Flags
	if prefix != "" {
		flags = c.Command.Flags
	}
	hint := ""
	if n := config.Nearest(name, flagNames(flags)); n != "" {
		hint = "; did you mean --" + n + "?"
	} else if isFormat(name, flags) {
		hint = "; did you mean --format=" + name + "?"
	}
	return usageError{fmt.Errorf("%sno flag --%s%s", prefix, name, hint)}
}

// misplaced returns the error about a flag behind a command that belongs in front of it.
func misplaced(flag, command string) error {
	return optionError{fmt.Errorf("%s: --%s comes before the command: scavenger-wrap --%s=… %s", command, flag, flag, command)}
}

func flagNames(flags []cli.Flag) (names []string) {
	for _, f := range flags {
		names = append(names, f.Names()...)
	}
	return names
}

// isFormat reports whether --format, of these flags, takes a word.
func isFormat(word string, flags []cli.Flag) bool {
	return slices.ContainsFunc(flags, func(f cli.Flag) bool {
		doc, ok := f.(cli.DocGenerationFlag)
		return ok && slices.Contains(f.Names(), "format") && slices.Contains(formatNames(), word) && strings.Contains(doc.GetUsage(), word)
	})
}

// arguments returns an error if a command has more than limit arguments; if limit is
// negative, any number is right. what names the arguments that the command takes. A flag
// among them is an error too, because it would be taken for an argument.
func arguments(c *cli.Context, limit int, what string) error {
	name := c.Command.Name
	typed, args := os.Args[1:], c.Args().Slice()
	front := slices.Clip(typed[:len(typed)-len(args)])
	if front[len(front)-1] != "--" && slices.ContainsFunc(args, isFlag) {
		flags, rest, err := flagsFirst(args, c.Command.Flags)
		if err != nil {
			return usageError{fmt.Errorf("%s: %w", name, err)}
		}
		return usageError{fmt.Errorf("%s: flags come before arguments: scavenger-wrap %s", name, toolchain.JoinQuoted(slices.Concat(front, flags, rest)))}
	}
	if limit >= 0 && c.NArg() > limit {
		return usageError{fmt.Errorf("%s: %q: %s takes %s", name, c.Args().Get(limit), name, what)}
	}
	return nil
}

func isFlag(arg string) bool { return strings.HasPrefix(arg, "-") && arg != "-" }

// flagsFirst returns the flags among arguments, with what they take, and the other
// arguments. What follows -- is no flag. known are the flags of the command.
func flagsFirst(args []string, known []cli.Flag) (flags, rest []string, err error) {
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "--":
			return append(flags, arg), append(rest, args[i+1:]...), nil
		case !isFlag(arg):
			rest = append(rest, arg)
		case !takesNext(arg, known):
			flags = append(flags, arg)
		case i+1 == len(args):
			// In the words of package flag.
			return nil, nil, fmt.Errorf("flag needs an argument: -%s", strings.TrimLeft(arg, "-"))
		default:
			flags = append(flags, arg, args[i+1])
			i++
		}
	}
	return flags, rest, nil
}

// takesNext reports whether the argument behind a flag is its value.
func takesNext(arg string, flags []cli.Flag) bool {
	name := strings.TrimLeft(arg, "-")
	return slices.ContainsFunc(flags, func(f cli.Flag) bool {
		doc, ok := f.(cli.DocGenerationFlag)
		return ok && doc.TakesValue() && slices.Contains(f.Names(), name)
	})
}

// Unknown returns an error that says what to type in place of a word that is neither a
// command nor a tool.
func Unknown(word string) error {
	if IsOfGo(word) {
		return fmt.Errorf("no command %q; did you mean go %s?", word, word)
	}
	if n := config.Nearest(word, commandNames); n != "" && n != "h" {
		return fmt.Errorf("no command %q; did you mean %s?", word, n)
	}
	return fmt.Errorf("no command %q; they are %s", word, strings.Join(commandNames[:len(commandNames)-1], ", "))
}

// IsOfGo reports whether a word is a command of go that marks what it builds. Two of them are
// programs on PATH, too, which no -toolexec means: the go command names its tools by their path.
func IsOfGo(word string) bool { return commandHasFlags(word) || word == "test" }
