#!/bin/sh
# budgets.sh ROOT: one idea a screen. A function has at most 60 lines and a cyclomatic complexity of 15 (a switch counts
# once), a source file 400 lines, a header 150, a line 120 columns. The longest are printed as a reminder.
set -u
cd "$1" || exit 99
bad=0

for file in src/*/*.[ch] src/main.c tests/*/*/*.c; do
    [ -f "$file" ] || continue
    case $file in
    *.h) most=150 ;;
    *) most=400 ;;
    esac
    lines=$(wc -l <"$file")
    [ "$lines" -le $most ] || { echo "$file: $lines lines, at most $most"; bad=1; }
done
# Bytes above 127 that continue a character are no column of their own.
LC_ALL=C awk '{ line = $0; gsub(/[\200-\277]/, "", line) }
    length(line) > 120 { print FILENAME ":" FNR ": " length(line) " columns, at most 120"; bad = 1 }
    END { exit bad }' src/*/*.[ch] src/main.c || bad=1

if command -v pmccabe >/dev/null; then
    # pmccabe: complexity with switch as one, complexity, statements, first line, lines, file(line): function
    pmccabe src/*/*.c src/main.c | awk '
        $5 > 60 { print $6 " " $7 ": " $5 " lines, at most 60"; bad = 1 }
        $1 > 15 { print $6 " " $7 ": complexity " $1 ", at most 15"; bad = 1 }
        { count++; if ($5 > longest) { longest = $5; where = $7 } }
        END { printf "%d functions, the longest %s with %d lines\n", count, where, longest; exit bad }' || bad=1
else
    echo 'pmccabe is missing: functions were not measured'
fi
exit $bad
