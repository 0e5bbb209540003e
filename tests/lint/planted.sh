#!/bin/sh
# planted.sh ROOT: the rules can fail. Each violation is planted in a copy of the sources, and the rule that should find
# it must, while the copy without it passes.
set -u
root=$1
scratch=$(mktemp -d "${TMPDIR:-/tmp}/parplan-planted.XXXXXX") || exit 99
trap 'rm -rf "$scratch"' EXIT
bad=0

# A small tree that obeys all rules.
fresh() {
    rm -rf "$scratch/tree"
    mkdir -p "$scratch/tree/src/base" "$scratch/tree/src/cost" "$scratch/tree/src/sim" "$scratch/tree/src/search"
    cp -r "$root/tests/lint" "$scratch/tree/lint"
    cd "$scratch/tree" || exit 99
    printf '/* Waits. */\n#ifndef PARPLAN_BASE_WAIT_H\n#define PARPLAN_BASE_WAIT_H\nint wait_long(int times);\n#endif\n' >src/base/wait.h
    printf '#include "base/wait.h"\n\nint wait_long(int times) {\n    return times;\n}\n' >src/base/wait.c
    printf '#include "base/wait.h"\n\nint main(void) {\n    return wait_long(1);\n}\n' >src/main.c
    printf "#ifndef PARPLAN_SIM_CLOCK_H\n#define PARPLAN_SIM_CLOCK_H\n#endif\n" >src/sim/clock.h
    touch src/cost/price.c src/search/bound.c dev meson.build
    mkdir -p man
}

passes() {
    fresh
    for rule in layers headers budgets banned; do
        lint/$rule.sh "$scratch/tree" >"$scratch/log" 2>&1 || { cat "$scratch/log"; echo "$rule: fails on a clean tree"; bad=1; }
    done
}

# refused RULE WHAT: after planting, the rule must fail.
refused() {
    if lint/"$1".sh "$scratch/tree" >"$scratch/log" 2>&1; then
        echo "$1 lets pass: $2"
        bad=1
    fi
}

repeat() {
    i=0
    while [ $i -lt "$2" ]; do printf '%s' "$1"; i=$((i + 1)); done
}

passes
fresh; echo '#include "cost/price.h"' >>src/base/wait.c; refused layers 'an include of a higher folder'
fresh; echo '#include "sim/clock.h"' >>src/search/bound.c; refused layers 'an include of a sibling'
fresh; echo '#include "wait.h"' >>src/base/wait.c; refused layers 'an include without folder'
fresh; echo '#include <yaml.h>' >>src/cost/price.c; refused layers 'a library outside its file'
fresh; mkdir src/misc; echo '#include "base/wait.h"' >src/misc/a.c; refused layers 'a folder without place'
fresh; sed -i 's/int wait_long/size_t wait_long/' src/base/wait.h; refused headers 'a header that needs another'
fresh; sed -i 's/BASE_WAIT/BASE_WEIGHT/' src/base/wait.h; refused headers 'a guard of another name'
fresh; repeat '
' 400 >>src/base/wait.c; refused budgets 'a file of 405 lines'
fresh; repeat '
' 150 >>src/base/wait.h; refused budgets 'a header of 155 lines'
fresh; { printf '/* '; repeat x 120; echo ' */'; } >>src/base/wait.c; refused budgets 'a line of 126 columns'
if command -v pmccabe >/dev/null; then
    fresh; { echo 'int long_one(int a) {'; repeat '    a++;
' 60; echo '    return a;'; echo '}'; } >>src/base/wait.c; refused budgets 'a function of 63 lines'
    fresh; { echo 'int knot(int a) {'; repeat '    if (a) { a++; }
' 16; echo '    return a;'; echo '}'; } >>src/base/wait.c; refused budgets 'a complexity of 17'
fi
fresh; printf 'void say(void) {\n    printf("a");\n}\n' >>src/cost/price.c; refused banned 'printing below cli'
fresh; printf 'void stop(void) {\n    exit(1);\n}\n' >>src/cost/price.c; refused banned 'leaving below cli'
fresh; printf 'char *home(void) {\n    return getenv("HOME");\n}\n' >>src/cost/price.c; refused banned 'the environment below cli'
fresh; printf 'void *a(void) {\n    return malloc(1);\n}\n' >>src/cost/price.c; refused banned 'memory outside arenas'
fresh; printf 'int a(char *b) {\n    return atoi(b);\n}\n' >>src/cost/price.c; refused banned 'atoi'
fresh; printf '/* TO%s: later */\n' DO >>src/cost/price.c; refused banned 'an unfinished mark'
fresh; printf 'int a;    \n' >>src/cost/price.c; refused banned 'blanks at the end of a line'

# A library with memory of its own.
if command -v cc >/dev/null && command -v ar >/dev/null; then
    fresh
    cc -c -o wait.o src/base/wait.c -Isrc && ar rcs libwait.a wait.o
    lint/globals.sh libwait.a >"$scratch/log" || { echo 'globals: fails on a clean library'; bad=1; }
    echo 'static int calls; int count(void); int count(void) { return ++calls; }' >src/base/wait.c
    cc -c -o wait.o src/base/wait.c -Isrc && ar rcs libwait.a wait.o
    lint/globals.sh libwait.a >"$scratch/log" && { echo 'globals lets pass: a counter that outlives the call'; bad=1; }
fi
exit $bad
