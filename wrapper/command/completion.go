// scavenger-wrap completion.

package command

import (
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"
)

func (cmd *commands) completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a script that completes commands and flags in a shell",
		ArgsUsage: "bash|zsh|fish",
		BashComplete: func(c *cli.Context) {
			if !c.Args().Present() {
				fmt.Fprintln(cmd.stdout, "bash\nzsh\nfish")
			}
		},
		Description: "For bash, in ~/.bashrc:\n\n   source <(scavenger-wrap completion bash)\n\n" +
			"For zsh, in ~/.zshrc, below compinit:\n\n   source <(scavenger-wrap completion zsh)\n\n" +
			"For fish:\n\n   scavenger-wrap completion fish >~/.config/fish/completions/scavenger-wrap.fish",
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, "one shell"); err != nil {
				return err
			}
			script := ""
			switch c.Args().First() {
			case "bash":
				script = bashCompletion
			case "zsh":
				script = "autoload -Uz bashcompinit && bashcompinit\n" + bashCompletion
			case "fish":
				var err error
				if script, err = c.App.ToFishCompletion(); err != nil {
					return err
				}
			default:
				return usageError{errors.New("completion: name the shell: bash, zsh or fish")}
			}
			_, err := io.WriteString(unescaped(cmd.stdout), script) // a shell reads it
			return err
		},
	}
}

// bashCompletion asks the program itself, up to the word that is typed.
const bashCompletion = `_scavenger_wrap() {
	local cur="${COMP_WORDS[COMP_CWORD]}" words=("${COMP_WORDS[@]:0:COMP_CWORD}")
	[[ "$cur" == -* ]] && words+=("${cur/#--/-}")
	COMPREPLY=($(compgen -W "$("${words[@]}" --generate-bash-completion 2>/dev/null)" -- "$cur"))
}
complete -o default -F _scavenger_wrap scavenger-wrap
`
