#!/bin/sh
# readme.sh ROOT PARPLAN: READMEs tell the truth. In README.md and examples/*/README.md every block
#
#   ```console
#   $ parplan search ...      run in a copy of the page's folder, commands of a page in order, in one shell
#   what it prints            compared with both outputs; a line "..." stands for any lines
#   ```
#
# prints what it shows, apart from the time that a search takes. `./dev run` stands for parplan. Every path of the map of
# the tree exists, every folder at the top is in it, and links lead somewhere. BLESS=1 writes down what comes out instead
# (`BLESS=1 meson test -C build --suite lint`); then review the diff.
set -u
program=$(realpath "$2")
root=$(realpath "$1")
cd "$root" || exit 99
scratch=$(mktemp -d "${TMPDIR:-/tmp}/parplan-readme.XXXXXX") || exit 99
trap 'rm -rf "$scratch"' EXIT
bad=0
complain() {
    echo "$1"
    bad=1
}

mkdir "$scratch/bin"
ln -s "$program" "$scratch/bin/parplan"
unset NO_COLOR CLICOLOR CLICOLOR_FORCE FORCE_COLOR LANG LANGUAGE LC_CTYPE
PATH=$scratch/bin:$PATH PARPLAN_DATA=$root COLUMNS=100 TERM=dumb LC_ALL=C.UTF-8
export PATH PARPLAN_DATA COLUMNS TERM LC_ALL

# Cuts a page into steps: step-N.cmd and step-N.shown, both with a newline at the end of each line.
cut_page() {
    awk -v at="$2" '
        /^```/ { inside = !inside && $0 == "```console"; more = 0; next }
        !inside { next }
        more { print >>(at "/step-" n ".cmd"); more = /\\$/; next }
        /^\$ / { n++; print substr($0, 3) >(at "/step-" n ".cmd"); printf "" >(at "/step-" n ".shown")
                 more = /\\$/; next }
        n { print >>(at "/step-" n ".shown") }
        END { print n + 0 }' "$1"
}

# Runs the steps in one shell, so that a step sees files, variables and the exit status of those before it.
run_steps() {
    number=0
    : >"$2/all.sh"
    while [ $number -lt "$1" ]; do
        number=$((number + 1))
        printf '(exit $last)\n{\n%s\n} >"%s/step-%d.out" 2>&1\nlast=$?\n' "$(cat "$2/step-$number.cmd")" "$2" $number
    done >>"$2/all.sh"
    (cd "$2/work" && last=0 sh "$2/all.sh" </dev/null >/dev/null 2>&1)
}

# The time that a search took is its own.
settle() { sed -e 's/; [0-9.]* s on [0-9]* threads*$/; SECONDS on THREADS/' "$1"; }

# elided SHOWN OUT: OUT cut down as SHOWN is, with as many lines before and after "...".
elided() {
    awk 'FILENAME == ARGV[1] { shown[++n] = $0; if ($0 == "...") cut = n; next } { out[++m] = $0 }
        END {
            if (!cut) { for (i = 1; i <= m; i++) print out[i]; exit }
            for (i = 1; i < cut && i <= m; i++) print out[i]
            print "..."
            for (i = m - (n - cut) + 1; i <= m; i++) if (i >= cut) print out[i]
        }' "$1" "$2"
}

# Puts what came out in place of what was shown.
bless() {
    awk -v at="$2" '
        /^```/ { inside = !inside && $0 == "```console"; more = 0; print; next }
        !inside { print; next }
        more { print; more = /\\$/; if (!more) result(); next }
        /^\$ / { n++; print; more = /\\$/; if (!more) result(); next }
        function result(   line) { while ((getline line < (at "/step-" n ".now")) > 0) print line }' "$1" >"$2/page"
    cmp -s "$2/page" "$1" || cp "$2/page" "$1"
}

for page in README.md examples/README.md examples/*/README.md; do
    [ -f "$page" ] || { [ "$page" = examples/README.md ] || complain "$page is missing"; continue; }
    at=$scratch/$(echo "$page" | tr / -)
    mkdir -p "$at/work"
    case $page in
    README.md) printf '#!/bin/sh\n[ "$1" = run ] && shift && exec parplan "$@"\n' >"$at/work/dev"; chmod +x "$at/work/dev" ;;
    *) cp "$(dirname "$page")"/* "$at/work" 2>/dev/null ;;
    esac
    count=$(cut_page "$page" "$at")
    run_steps "$count" "$at"
    number=0
    different=0
    while [ $number -lt "$count" ]; do
        number=$((number + 1))
        step=$at/step-$number
        elided "$step.shown" "$step.out" >"$step.now"
        settle "$step.now" >"$step.got"
        settle "$step.shown" >"$step.want"
        if cmp -s "$step.want" "$step.got"; then
            cp "$step.shown" "$step.now"
            continue
        fi
        different=1
        [ "${BLESS:-}" = 1 ] && continue
        complain "$page: this prints something else (- shown, + got): $(cat "$step.cmd")"
        diff -u "$step.want" "$step.got" | tail -n +3
    done
    [ "${BLESS:-}" = 1 ] && [ $different = 1 ] && bless "$page" "$at"
    dirname=$(dirname "$page")
    grep -oE '\]\([^)#: ]+' "$page" | sed 's/^](//' >"$at/links"
    while read -r link; do
        [ -e "$dirname/$link" ] || complain "$page: the link to $link leads nowhere"
    done <"$at/links"
done

# The map is the block after its heading: a line begins with a path or several folders, those moved in are of src.
sed -n '/^## Map of the tree/,/^## [^M]/p' README.md | sed -n '/^```/,/^```/p' | sed '/^```/d' >"$scratch/map"
[ -s "$scratch/map" ] || complain 'README.md has no map of the tree'
awk '{ at = /^  / ? "src/" : ""; print at $1; for (i = 2; i <= NF && $i ~ /\/$/; i++) print at $i }' "$scratch/map" \
    >"$scratch/paths"
while read -r path; do
    [ -e "$path" ] || complain "README.md: $path of the map does not exist"
done <"$scratch/paths"
for folder in */ src/*/; do
    case $folder in
    build*/) continue ;;
    esac
    ls "$folder" | grep -q . || continue # git keeps no empty folders
    grep -qxF "$folder" "$scratch/paths" || complain "README.md: $folder is not in the map of the tree"
done
exit $bad
