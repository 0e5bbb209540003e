#!/bin/sh
# globals.sh LIBRARY...: no library of parplan has memory that outlives a call: no .data, .bss or thread-local section
# with anything in it. Constant tables lie in .rodata and .data.rel.ro.
set -u
bad=0
for library in "$@"; do
    [ -f "$library" ] || { echo "$library is missing"; exit 99; }
    size -A "$library" | awk -v library="${library##*/}" '
        / *:? *\(ex / { object = $1 }
        $1 ~ /^\.(data|bss|tdata|tbss)(\..*)?$/ && $1 !~ /^\.data\.rel\.ro/ && $2 > 0 {
            print library "(" object "): " $2 " bytes in " $1; bad = 1 }
        END { exit bad }' || bad=1
done
exit $bad
