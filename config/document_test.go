// The document about the settings, docs/settings.md, made from the table.

package config

import (
	"bytes"
	"fmt"
	"strings"
)

const docHead = `# Settings

This file is generated from the table in ` + "`config/keys.go`" + ` (` + "`go test ./config -run TestDocument -update`" + `).

## Where settings are written

Settings are written in one file, ` + "`scavenger.toml`" + ` or ` + "`scavenger.conf`" + ` (Java properties, as Scavenger's
web page writes them), and in environment variables. The keys are the same in both files, and the Java and
Python agents use them too. ` + "`server_url`" + ` is the same as ` + "`serverUrl`" + `. An unknown key is an error.

**When a program is built**, the file is the first of these:

1. the one that ` + "`-config=FILE`" + ` in the toolexec value names (` + "`-toolexec=\"scavenger-wrap -config=FILE\"`" + `);
2. the one that ` + "`SCAVENGER_CONFIG`" + ` names;
3. the nearest in the working directory and its parents, up to the root of the module or workspace. One in the
   directory of a package does not count for a build that runs above it.

For keys that act at build time, a variable takes precedence over the file. For keys that act at run time,
the values of the file are built into the program. Variables of the build machine are never built in.

**When the program runs**, a value is taken from the first of these that has the key, even if it is blank:

1. the variable of the key, such as ` + "`SCAVENGER_SERVER_URL`" + `;
2. ` + "`SCAVENGER_OPTIONS`" + `, of the form ` + "`key=value;key=value`" + `;
3. a ` + "`scavenger.conf`" + `: the one that ` + "`SCAVENGER_CONFIG`" + ` names, or the first that exists of ` + "`scavenger.conf`" + ` and
   ` + "`conf/scavenger.conf`" + ` in the working directory, ` + "`$HOME/.config/scavenger.conf`" + `,
   ` + "`/etc/scavenger/scavenger.conf`" + ` and ` + "`/etc/scavenger.conf`" + ` (keys that act at build time are ignored in it, and
   a ` + "`scavenger.toml`" + ` is for the build only);
4. the value that was built in.

A file in the working directory that nobody named counts only if it, its directory and the working directory
belong to root or the user of the process, and nobody else may write to them. If the program's executable does not
lie there or below, only ` + "`appName`" + `, ` + "`appVersion`" + `, ` + "`environment`" + ` and ` + "`hostname`" + ` of it count. One line says what was passed over;
` + "`SCAVENGER_CONFIG`" + ` names a file that counts in any case ([security.md](security.md#what-a-settings-file-may-do)).

A program that runs with more rights than the user who started it (setuid, setgid, file capabilities) reads no
variables and no file in the working directory or ` + "`$HOME`" + `, and accepts no relative path: that user controls them.

A blank value means the default. ` + "`$NAME`" + ` and ` + "`${NAME}`" + ` in a value stand for the variable of that name or
the value of that key. They are replaced when the key acts, so ` + "`apiKey = \"$SHOP_KEY\"`" + ` builds in no secret. A file
in the working directory that sets ` + "`serverUrl`" + `, or does not count in full, gets variables ` + "`SCAVENGER_…`" + ` only.

Nothing else is replaced, as in Go's own ` + "`GOPATH`" + `: write ` + "`$HOME/data`" + ` for ` + "`~/data`" + `. A path that begins with
` + "`~`" + ` or ` + "`%`" + ` stops a build. A running program keeps no files there and logs it, also if the path begins with a
` + "`$NAME`" + ` that has no value, such as ` + "`$HOME`" + ` in a service. ` + "`./~`" + ` is a directory of that name.

In ` + "`scavenger.conf`" + ` and in variables, packages are separated by ` + "`,`" + `, ` + "`;`" + ` or ` + "`:`" + `, markers by ` + "`,`" + ` or ` + "`;`" + `, regular
expressions by ` + "`,`" + `.

## Errors and warnings

These stop the build, and the error names file, line and column: a file that does not parse, an unknown key, a
value of the wrong type, an invalid regular expression or pattern, and a second settings file. A key that is
set twice is an error in ` + "`scavenger.toml`" + `; in ` + "`scavenger.conf`" + ` the last value counts, as in Java.

Settings that may be intended do not stop a build. When a program of the main module is linked, a line warns of

- a pattern that can match no package, because no directory of the main modules and no module in their ` + "`go.mod`" + `
  fits it. (A pattern may match nothing in one program and something in another.) ` + "`scavenger-wrap scan`" + ` is
  stricter: it fails if a pattern matches none of the packages that it scans.
- a ` + "`serverUrl`" + ` without an ` + "`apiKey`" + `, since nothing is sent. If the program gets the key from its environment,
  write ` + "`apiKey = \"$SCAVENGER_API_KEY\"`" + `.
- a package that matches and could not be marked, because its code is nested too deeply for go/parser or the
  name of its directory is not UTF-8. Its functions are not observable.
- a variable that is most likely meant to be another one (` + "`SCAVENGER_PACKAGE`, `SCAVENGER_EXCLUDE`" + `).
- a settings file of the program's module that is not read, because the build runs in another directory of the
  workspace and finds no file there. ` + "`scan`" + ` and ` + "`doctor`" + ` name the files of all modules.
- a ` + "`SCAVENGER_WRAP_LOG`" + ` that cannot be written.

A line also warns of any program that gets no marks by default, for one of two reasons. There is no main module
(` + "`go install example.com/cmd@version`" + `, GOPATH mode). Or the main module is not the one that scavenger-wrap finds,
because it does not see ` + "`-modfile`" + ` or ` + "`-overlay`" + `. It sees these flags in ` + "`GOFLAGS`" + `, in ` + "`scavenger-wrap go`" + `, and on
Linux beside ` + "`-toolexec`" + ` on the command line, unless another program is in between.

A running program never stops for a setting. It logs once what it does not understand, and uses the default: a
wrong value, a key in ` + "`SCAVENGER_OPTIONS`" + ` or ` + "`scavenger.conf`" + ` that is no setting (unless another value refers to it
as ` + "`$NAME`" + `), a variable that is most likely meant to be another one (` + "`SCAVENGER_DIR`, `scavenger_data_dir`" + `), and a ` + "`serverUrl`" + `
without an ` + "`apiKey`" + `. Where true or false is wanted, ` + "`no`" + `, ` + "`off`" + ` and ` + "`0`" + ` are false, and all else that is not ` + "`true`" + ` is
taken as false too, and logged. A program that is silent says these only if they keep it from reporting: if ` + "`dataDir`" + `,
` + "`serverUrl`" + ` or ` + "`apiKey`" + ` is what was meant, if ` + "`enabled`" + ` is wrong, or if ` + "`SCAVENGER_CONFIG`" + ` names a ` + "`.toml`" + ` with a ` + "`dataDir`" + ` or
` + "`serverUrl`" + ` that it was not built with. At level ` + "`info`" + ` it also says which settings of the run have no effect.

## What settings mean

The column *acts* says when a key acts. The column *again* says what the go command does again after a change:
` + "`compile`" + ` packages, as for another compiler, those whose ` + "`marks`" + ` change ([evidence.md](evidence.md)), or only ` + "`link`" + ` programs. Most packages are then not compiled but taken
from plain builds ([performance.md](performance.md)); ` + "`SCAVENGER_PLAIN_CACHE=off`" + ` in the environment of a build
compiles them too, with the same result. To change a variable of the running program costs nothing.

| key | variable | values | default | acts | again | meaning |
| --- | --- | --- | --- | --- | --- | --- |
`

const docMiddle = `
## In the source

Whatever the settings say, ` + "`//scavenger:ignore`" + ` above a function, a type or a package clause leaves out the
function, the methods of the type or the file. ` + "`//scavenger:track`" + ` above a function or a type keeps the function or
the methods of the type. What is left out is neither marked nor listed, so it is never called dead.

` + "`//scavenger:keep`" + ` says why a function stays although nobody calls it: see [the report](report.md#what-stays).

## Keys of other agents without effect

| key | why |
| --- | --- |
`

// document returns docs/settings.md.
func document() []byte {
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
