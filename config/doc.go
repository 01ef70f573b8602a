// The table of settings as a document: docs/settings.md.

package config

import (
	"bytes"
	"fmt"
	"strings"
)

const docHead = `# Settings

This file is generated from the table in ` + "`config/keys.go`" + ` (` + "`go test ./config -run TestDocument -update`" + `).

## Where they stand

Settings stand in one file, ` + "`scavenger.toml`" + ` or ` + "`scavenger.conf`" + ` (Java properties, as Scavenger's
web page writes them), and in environment variables. The keys are the same, and those of the Java and
Python agents; ` + "`server_url`" + ` is as good as ` + "`serverUrl`" + `. A key that is not known is an error.

**When a program is built**, the file is the one that ` + "`-config=FILE`" + ` in the toolexec value names
(` + "`-toolexec=\"scavenger-wrap -config=FILE\"`" + `), or else ` + "`SCAVENGER_CONFIG`" + `, or else the nearest in the
working directory and its parents up to the root of the module or workspace. For keys that act at
build time, a variable comes before the file. What the file says for the run is built into the program;
variables of the build machine never are.

**When it runs**, a value is taken from the first of these that has the key, even if it is blank:

1. the variable of the key, such as ` + "`SCAVENGER_SERVER_URL`" + `;
2. ` + "`SCAVENGER_OPTIONS`" + `, of the form ` + "`key=value;key=value`" + `;
3. a ` + "`scavenger.conf`" + `: the one that ` + "`SCAVENGER_CONFIG`" + ` names, or the first that exists of ` + "`scavenger.conf`" + ` and
   ` + "`conf/scavenger.conf`" + ` in the working directory, ` + "`$HOME/.config/scavenger.conf`" + `,
   ` + "`/etc/scavenger/scavenger.conf`" + ` and ` + "`/etc/scavenger.conf`" + ` (a ` + "`scavenger.toml`" + ` is for the build only, and keys
   that act at build time are passed over here);
4. what was built in.

A program that has more rights than who started it (setuid, setgid) takes nothing from variables, the working
directory or ` + "`$HOME`" + `, and no relative path: they are not its owner's.

A blank value means the default. ` + "`$NAME`" + ` and ` + "`${NAME}`" + ` in a value stand for the variable of that name or
the value of that key; they are replaced where the key acts, so ` + "`apiKey = \"$SHOP_KEY\"`" + ` builds in no secret.

In ` + "`scavenger.conf`" + ` and in variables, packages are separated by ` + "`,`" + `, ` + "`;`" + ` or ` + "`:`" + `, markers by ` + "`,`" + ` or ` + "`;`" + `, regular
expressions by ` + "`,`" + `.

## What is a mistake

A file that does not parse, an unknown key, a value of the wrong type, a regular expression or a pattern
that is none, two settings files: the build stops, and the message has file, line and column. In
` + "`scavenger.toml`" + ` a key that is set twice is one too; in ` + "`scavenger.conf`" + ` the last value counts, as in Java.

What may be meant does not stop a build. When a program of the main module is linked, one line says:

- a pattern that can match no package: there is neither a directory for it in the main modules nor, in their
  ` + "`go.mod`" + `, a module. (That a program lacks a package that there is says nothing: another has it.)
  ` + "`scavenger-wrap scan`" + ` is stricter: it fails if a pattern matches nothing that it scans.
- a ` + "`serverUrl`" + ` without an ` + "`apiKey`" + `, with which nothing is sent. If the program finds the key in its environment,
  ` + "`apiKey = \"$SCAVENGER_API_KEY\"`" + ` says so.

It also names each package that matches and could not be marked, as it is nested deeper than go/parser goes or
its directory's name is no UTF-8; its functions are not observable.

And of any program that the default leaves without marks as there is no main module (` + "`go install example.com/cmd@version`" + `,
GOPATH mode) or the main module is not the one that is found: ` + "`-modfile`" + ` and ` + "`-overlay`" + ` are seen in ` + "`GOFLAGS`" + ` and by
` + "`scavenger-wrap go`" + `, and with ` + "`-toolexec`" + ` on the command line on Linux, unless another program is in between.

## What they mean

*Acts* says when a key acts, and *again* what the go command does again after a change of it: ` + "`compile`" + `
packages, as for another compiler (most are then taken from plain builds: [performance.md](performance.md)), or
only ` + "`link`" + ` programs. A variable of the running program costs nothing.

` + "`SCAVENGER_PLAIN_CACHE=off`" + ` in the environment of a build compiles those too. The result is the same.

| key | variable | values | default | acts | again | meaning |
| --- | --- | --- | --- | --- | --- | --- |
`

const docMiddle = `
## In the source

Whatever the settings say, ` + "`//scavenger:ignore`" + ` leaves out what it stands above: a function, the methods of
a type, or, above the package clause, a file. ` + "`//scavenger:track`" + ` keeps a function or the methods of a type in.
What is left out is neither marked nor listed, so it is never called dead.

## Keys of other agents without effect

| key | why |
| --- | --- |
`

// Document returns docs/settings.md.
func Document() []byte {
	var b bytes.Buffer
	b.WriteString(docHead)
	for i := range Keys {
		k := &Keys[i]
		if k.Ignored != "" || k.Refused != "" {
			continue
		}
		names := "`" + strings.Join(k.names(), "`, `") + "`"
		if k.Seconds != "" {
			names += ", `" + k.Seconds + "`"
		}
		values := string(k.Kind)
		if k.Kind == Choice {
			values = strings.Join(k.Choices, ", ")
		}
		def := ""
		if k.Default != "" {
			def = "`" + k.Default + "`"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s | %s | %s |\n", names, Variable(k.Name), values, def, k.When(), k.Effect, k.Doc)
	}
	b.WriteString(docMiddle)
	for i := range Keys {
		k := &Keys[i]
		switch {
		case k.Refused != "":
			fmt.Fprintf(&b, "| `%s` | `true` is an error: %s |\n", k.Name, k.Refused)
		case k.Ignored != "":
			fmt.Fprintf(&b, "| `%s` | %s |\n", k.Name, k.Ignored)
		}
	}
	return b.Bytes()
}
