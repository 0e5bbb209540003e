#!/bin/sh
# docs.sh ROOT PARPLAN MANUAL-FOLDER: what is written about parplan is true of it. Every command has a page whose options
# are those of its help, a golden test, and a place in parplan(1); every document kind has a page with all its keys;
# pages are well-formed; links in READMEs lead somewhere.
set -u
root=$1
program=$(realpath "$2")
manual=$(realpath "$3")
cd "$root" || exit 99
scratch=$(mktemp -d "${TMPDIR:-/tmp}/parplan-docs.XXXXXX") || exit 99
trap 'rm -rf "$scratch"' EXIT
bad=0
complain() {
    echo "$1"
    bad=1
}

# A built page as plain text, without overstrikes and its hyphenation.
plain() { mandoc -T ascii -O width=1000 "$1" | sed "s/.$(printf '\b')//g"; }

commands=$("$program" help | sed -n -e '/^For example/q' -e 's/^  \([a-z]*\) .*/\1/p')
[ -n "$commands" ] || complain 'parplan help lists no commands'
for command in $commands; do
    page=man/parplan-$command.1.scd
    [ -f "$page" ] || { complain "parplan $command: $page is missing"; continue; }
    ls tests/golden/"$command"/*/cmd >/dev/null 2>&1 || complain "parplan $command: no case in tests/golden/$command"
    for section in NAME SYNOPSIS DESCRIPTION OPTIONS EXAMPLES; do
        grep -q "^# $section" "$page" || complain "$page: no section $section"
    done
    built=$manual/parplan-$command.1
    [ -f "$built" ] && command -v mandoc >/dev/null || continue
    plain "$built" >"$scratch/page"
    "$program" "$command" --help | grep -oE '^  (-., )?--[a-z[][a-z0-9-]*(\]?[a-z0-9-]*)' | sed 's/.*--/--/' | sort -u |
        while read -r flag; do
            grep -qF -e "$flag" "$scratch/page" || echo "parplan $command: $flag is not in its page"
        done | grep . && bad=1
    plain "$manual/parplan.1" | grep -q "parplan-$command(1)" || complain "parplan(1) does not name parplan-$command(1)"
done
for kind in model topology job plan scenario; do
    grep -q "^@fields $kind@" "man/parplan-$kind.5.scd" || complain "parplan-$kind(5) has no FIELDS of its table"
done

# The documents in the pages of section 5 are read as what the page is about.
for kind in model topology job; do
    sed -n -e '/^# EXAMPLE/,/^# SEE/p' "man/parplan-$kind.5.scd" | sed -n -e '/^```/,/^```/p' | grep -v '^```' \
        >"$scratch/$kind.yaml"
    [ -s "$scratch/$kind.yaml" ] || complain "parplan-$kind(5) has no example"
done
PARPLAN_DATA=$root
export PARPLAN_DATA
"$program" show model "$scratch/model.yaml" >/dev/null || complain 'the example of parplan-model(5) is wrong'
"$program" show topology "$scratch/topology.yaml" >/dev/null || complain 'the example of parplan-topology(5) is wrong'
"$program" search llama3-8b h100-sxm "$scratch/job.yaml" --top 1 >/dev/null ||
    complain 'the example of parplan-job(5) is wrong'

if command -v mandoc >/dev/null && [ -f "$manual/parplan.1" ]; then
    mandoc -T lint -W error "$manual"/*.[15] || complain 'mandoc finds errors in the pages above'
else
    echo 'mandoc or the built pages are missing: pages were not checked'
fi

# Links of the form [text](path) without a scheme; from the page's folder.
for page in README.md src/README.md examples/*/README.md examples/README.md benchmarks/README.md; do
    [ -f "$page" ] || continue
    grep -oE '\]\([^)#: ]+' "$page" | sed 's/^](//' | while read -r link; do
        [ -e "$(dirname "$page")/$link" ] || echo "$page: the link to $link leads nowhere"
    done | grep . && bad=1
done
exit $bad
