#!/bin/sh
# examples.sh ROOT PARPLAN: every example of the help and the man pages is a golden case, word for word, so that it has
# been run and its output looked at. BLESS=1 makes the missing cases; the golden tests then fill them.
set -u
program=$(realpath "$2")
cd "$1" || exit 99
"$program" manual examples | {
    bad=0
    while IFS='	' read -r command line; do
        found=
        for cmd in tests/golden/"$command"/*/cmd; do
            [ -f "$cmd" ] && [ "$(cat "$cmd")" = "$line" ] && found=1
        done
        [ -z "$found" ] || continue
        if [ "${BLESS:-}" = 1 ]; then
            number=1
            while [ -e "tests/golden/$command/example-$number" ]; do number=$((number + 1)); done
            mkdir -p "tests/golden/$command/example-$number"
            printf '%s\n' "$line" >"tests/golden/$command/example-$number/cmd"
        else
            echo "no golden case of $command runs: $line"
            bad=1
        fi
    done
    exit $bad
}
