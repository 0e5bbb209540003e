#!/bin/sh
# documents.sh ROOT PARPLAN: every document printed in a manual page is read without complaint. A document is a literal
# block that begins with its schema.
set -u
program=$(realpath "$2")
cd "$1" || exit 99
PARPLAN_DATA=$PWD
export PARPLAN_DATA
scratch=$(mktemp -d "${TMPDIR:-/tmp}/parplan-documents.XXXXXX") || exit 99
trap 'rm -rf "$scratch"' EXIT
bad=0
awk -v at="$scratch" '
    /^```/ { inside = !inside; first = inside; next }
    !inside { next }
    first { first = 0; file = ""
        if ($1 == "schema:") { split($2, part, "/"); file = at "/" part[2] "-" ++n ".yaml"; print FILENAME >(file ".page") } }
    file != "" { print >file }' man/*.scd
count=0
for file in "$scratch"/*.yaml; do
    [ -f "$file" ] || continue
    count=$((count + 1))
    kind=$(basename "$file" | sed 's/-.*//')
    case $kind in
    job) set -- search llama3-8b h100-sxm "$file" --top 1 ;;
    scenario)
        "$program" estimate llama3-8b h100-sxm --nodes 8 --global-batch 64 --tp 8 --dp 8 -o "$scratch/plan.yml" >/dev/null
        set -- simulate "$scratch/plan.yml" --scenario "$file" ;;
    *) set -- show "$kind" "$file" ;;
    esac
    "$program" "$@" >/dev/null 2>"$scratch/errors" && continue
    [ $? -eq 1 ] && [ "$kind" = scenario ] && continue # it stops the step, as it may
    bad=1
    echo "$(cat "$file.page"): this $kind is refused:"
    cat "$file" "$scratch/errors"
done
[ $count -gt 0 ] || { echo 'no documents found in man/'; bad=1; }
exit $bad
