#!/bin/sh
# Golden tests: golden.sh PARPLAN FOLDER runs every case of tests/golden/FOLDER and compares what it does with what is
# written down. A case is a folder that holds
#
#   cmd                    shell text; runs in a fresh copy of the case's folder with parplan in its PATH
#   stdout, stderr, exit   what is expected; a missing stdout or stderr is empty, a missing exit is 0
#   anything else          input files for cmd
#
# Before comparing, what a build may have or lack is hidden, times that a search measures of itself become words, and
# long decimals are rounded to six digits: the last digits of exp and log differ between processors.
#
# BLESS=1 writes down what comes out instead: `BLESS=1 meson test -C build --suite golden`, then review the diff.
set -u
program=$(realpath "$1")
[ -x "$program" ] || { echo "Bail out! $1 is no program"; exit 99; }
folder=$2
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/parplan-golden.XXXXXX") || exit 99
trap 'rm -rf "$scratch"' EXIT

mkdir "$scratch/bin"
ln -s "$program" "$scratch/bin/parplan"
PATH=$scratch/bin:$PATH
PARPLAN_DATA=${here%/tests/golden}
# Results must not depend on who runs the tests; terminals and locales are asked for by the cases about them.
unset NO_COLOR CLICOLOR CLICOLOR_FORCE FORCE_COLOR LANG LANGUAGE LC_CTYPE
export PATH PARPLAN_DATA COLUMNS=100 TERM=dumb LC_ALL=C

# bless FILE CASE: a file that would be empty, or an exit status of 0, is left out.
bless() {
    if [ ! -s "$scratch/$1" ] || { [ "$1" = exit ] && [ "$(cat "$scratch/$1")" = 0 ]; }; then
        rm -f "$2/$1"
    else
        cp "$scratch/$1" "$2/$1"
    fi
}

features='\(glpk\|hwloc\|mpi\|cuda\|nccl\|nvml\)'
settle() {
    sed -e 's/[0-9.]* s on [0-9]* threads*$/SECONDS on THREADS/' -e 's/"seconds": [0-9.e+-]*/"seconds": SECONDS/' \
        -e 's/"threads": [0-9]*,/"threads": THREADS,/' -e "s/^    \"$features\": .*/    FEATURE/" \
        -e "s/^  [-+] $features .*/  FEATURE/" "$1" | awk '{
        while (match($0, /[0-9]+\.[0-9][0-9][0-9][0-9][0-9][0-9]+(e[-+]?[0-9]+)?/)) {
            printf "%s%.6g", substr($0, 1, RSTART - 1), substr($0, RSTART, RLENGTH)
            $0 = substr($0, RSTART + RLENGTH)
        }
        print
    }' >"$1.settled" && mv "$1.settled" "$1"
}

number=0
failed=0
for case in "$here/$folder"/*/; do
    case=${case%/}
    [ -f "$case/cmd" ] || continue
    number=$((number + 1))
    name=$folder/${case##*/}
    rm -rf "$scratch/work"
    cp -r "$case" "$scratch/work"
    (cd "$scratch/work" && rm -f stdout stderr exit && sh ./cmd >"$scratch/stdout" 2>"$scratch/stderr" </dev/null)
    echo $? >"$scratch/exit"
    settle "$scratch/stdout"
    if [ "${BLESS:-}" = 1 ]; then
        for part in stdout stderr exit; do bless $part "$case"; done
        echo "ok $number - $name # blessed"
        continue
    fi
    good=1
    for part in stdout stderr exit; do
        expected=$case/$part
        if [ ! -f "$expected" ]; then
            expected=$scratch/expected
            if [ $part = exit ]; then echo 0; fi >"$expected"
        fi
        diff -u "$expected" "$scratch/$part" >"$scratch/diff" 2>&1 && continue
        good=0
        echo "$name: $part differs (- expected, + got)" >&2
        tail -n +3 "$scratch/diff" >&2
    done
    if [ $good = 1 ]; then
        echo "ok $number - $name"
    else
        failed=1
        echo "not ok $number - $name"
    fi
done
echo "1..$number"
[ $number -gt 0 ] || { echo "Bail out! no cases in $folder"; exit 1; }
exit $failed
