#!/bin/sh
# headers.sh ROOT [COMPILER...]: every header of src compiles by itself, and its guard is its path.
set -u
cd "$1" || exit 99
shift
[ $# -gt 0 ] || set -- cc
bad=0
for header in src/*/*.h; do
    name=${header#src/}
    "$@" -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -Wno-unused-function -fsyntax-only -Isrc \
        -include "$name" -x c /dev/null || bad=1
    guard=PARPLAN_$(printf '%s' "$name" | tr 'a-z/.' 'A-Z__')
    grep -q "^#ifndef $guard\$" "$header" || { echo "$header: the guard should be $guard"; bad=1; }
done
exit $bad
