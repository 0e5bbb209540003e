#!/bin/sh
# banned.sh ROOT: what no source may contain. Only cli prints, exits and reads the environment or the locale; numbers are
# read and written without the locale; nothing unfinished is committed.
set -u
cd "$1" || exit 99
bad=0

# refuse REASON REGEX FILES...: a call of one of the names in REGEX; comments and texts in quotes do not count.
refuse() {
    reason=$1
    regex=$2
    shift 2
    awk -v reason="$reason" -v regex="(^|[^A-Za-z0-9_])($regex)[ ]*[(]" '
        FNR == 1 { inside = 0 }
        {
            line = $0
            gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
            if (inside) { if (!sub(/^.*\*\//, "", line)) next; inside = 0 }
            gsub(/\/\*[^*]*\*+([^\/*][^*]*\*+)*\//, " ", line)
            sub(/\/\/.*/, "", line)
            if (sub(/\/\*.*/, "", line)) inside = 1
            if (line ~ regex) { print FILENAME ":" FNR ": " $0 "  <- " reason; bad = 1 }
        }
        END { exit bad }' "$@" || bad=1
}

below=$(ls -d src/*/*.[ch] | grep -v '^src/cli/')
# shellcheck disable=SC2086 # lists of files without blanks
{
    refuse 'only cli prints' 'printf|vprintf|puts|putchar|perror|fputs|fputc|fprintf|vfprintf|fwrite' $below
    refuse 'only cli exits' 'exit|_exit|quick_exit|_Exit' $below
    refuse 'only cli reads the environment' 'getenv|setlocale|isatty|signal|sigaction' $below
    refuse 'depends on the locale or overflows' \
        'atoi|atol|atof|strtof|strtok|gets|sprintf|vsprintf|strcpy|strcat|scanf|sscanf|fscanf' \
        src/*/*.[ch] src/main.c
    refuse 'results may not depend on time or chance' 'rand|srand|random|drand48' src/*/*.c
    refuse 'memory comes from arenas' 'malloc|calloc|realloc|strdup|strndup|alloca' \
        $(ls src/*/*.c | grep -v -e '^src/base/arena.c' -e '^src/base/threads.c')
}

# Words that mark something unfinished, anywhere.
for word in TODO FIXME XXX HACK 'not implemented' unimplemented; do
    grep -rnw "$word" src man models topologies examples benchmarks tests/unit tests/golden dev meson.build 2>/dev/null |
        grep . && { echo "^ $word: finish it or leave it out"; bad=1; }
done
# Bytes that only look like something else.
grep -rnP '\t' src --include='*.c' --include='*.h' | grep . && { echo '^ tabulators in a source'; bad=1; }
grep -rnE '[ 	]+$' src man dev meson.build | grep . && { echo '^ blanks at the end of a line'; bad=1; }
exit $bad
