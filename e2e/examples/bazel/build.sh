#!/bin/sh
# build.sh GO_MOD OUT PACKAGE builds a package of the module with marks. It is started where
# Bazel starts actions, so OUT is relative to another directory than the build's. A sandbox
# has no HOME: what the go command keeps goes where --action_env says, or away.
set -eu
case $2 in
/*) out=$2 ;;
*) out=$PWD/$2 ;;
esac
export GOCACHE="${GOCACHE:-$PWD/.gocache}" GOMODCACHE="${GOMODCACHE:-$PWD/.gomodcache}"
cd "$(dirname "$1")"
exec scavenger-wrap go build -o "$out" "$3"
