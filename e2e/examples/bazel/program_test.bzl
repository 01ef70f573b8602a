"""program_test runs a program with marks as a test, and keeps what it called."""

# A sandbox may write here, and nowhere else that outlives it. Calls of the last second are in
# a file there too (disk), as a test that takes too long is killed.
_SCRIPT = """#!/bin/sh
export SCAVENGER_DATA_DIR="$TEST_UNDECLARED_OUTPUTS_DIR/scavenger" SCAVENGER_MAPPING=disk
exec "./{program}" "$@"
"""

def _program_test_impl(ctx):
    program = ctx.file.program
    script = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(script, _SCRIPT.format(program = program.short_path), is_executable = True)
    return [DefaultInfo(executable = script, runfiles = ctx.runfiles([program]))]

program_test = rule(
    implementation = _program_test_impl,
    attrs = {"program": attr.label(allow_single_file = True)},
    test = True,
)
