# shellcheck shell=sh
# lib.sh: what the scripts of the walk-throughs share; each run.sh sources it. A script works in a folder of its own that
# is removed at the end, prints every command with its output, and stops with exit status 1 at the first thing that is
# not as its page says. The program is $PARPLAN, or `parplan` of the PATH.
set -eu
page=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
program=${PARPLAN:-parplan}
command -v "$program" >/dev/null || { echo "no program $program: set PARPLAN to its path" >&2; exit 4; }
work=$(mktemp -d "${TMPDIR:-/tmp}/parplan-example.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cp "$page"/*.yaml "$work" 2>/dev/null || : # not every walk-through has input files
cd "$work"

wrong() {
    echo "not as the page says: $1" >&2
    exit 1
}

# ends STATUS ARGUMENTS...: runs parplan, which must end with that exit status; its output stays in the file `out`.
ends() {
    wanted=$1
    shift
    echo "\$ parplan $*"
    got=0
    "$program" "$@" >out 2>&1 || got=$?
    cat out
    echo
    [ "$got" -eq "$wanted" ] || wrong "exit status $got, not $wanted: parplan $*"
}

# step ARGUMENTS...: runs parplan, which must succeed.
step() { ends 0 "$@"; }

# says REGEX: the last output has such a line.
says() { grep -Eq -e "$1" out || wrong "no line with: $1"; }

# row ARGUMENTS...: runs parplan for its first plan as CSV, silently; `of` then reads its columns.
row() {
    "$program" "$@" --format csv --quiet >row || wrong "exit status $?: parplan $*"
}

# of COLUMN: the value in the first plan of the last `row`.
of() {
    awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i } NR == 2 && at { print $at; found = 1 }
        END { exit !found }' row || wrong "no column $1"
}

# holds EXPRESSION: a comparison of numbers, such as "$a < 2 * $b".
holds() { awk "BEGIN { exit !($1) }" || wrong "$1"; }
