#!/bin/sh
# Assembles the fake functions: build.sh [directory to write to, default: here]. Needs GNU as and objcopy for each
# architecture and leaves out those it has none for. TestAssembly compares the outcome with the bytes kept here.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
object=$(mktemp)
trap 'rm -f "$object"' EXIT
assemble() { # name, prefixes of the tools, each to be tried
    name=$1; shift
    for prefix in "$@"; do
        command -v "${prefix}as" >/dev/null && command -v "${prefix}objcopy" >/dev/null || continue
        "${prefix}as" -o "$object" "$here/$name.S" 2>/dev/null || continue
        "${prefix}objcopy" -O binary -j .text "$object" "$out/$name.bin"
        echo "$name"
        return
    done
    echo "no assembler for $name" >&2
}
assemble amd64 "" x86_64-linux-gnu-
assemble arm64 aarch64-linux-gnu- ""
