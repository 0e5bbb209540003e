#!/bin/sh
# installed.sh BUILD PREFIX: what `meson install` puts in place works from there, wherever the tree is moved to: the program
# finds its documents beside itself, man finds the pages, shells the completions.
set -u
build=$(realpath "$1")
prefix=$2
scratch=$(mktemp -d "${TMPDIR:-/tmp}/parplan-installed.XXXXXX") || exit 99
trap 'rm -rf "$scratch"' EXIT
bad=0
meson install -C "$build" --no-rebuild --quiet --destdir "$scratch/root" >"$scratch/log" 2>&1 ||
    { cat "$scratch/log"; exit 1; }
mv "$scratch/root" "$scratch/elsewhere"
tree=$scratch/elsewhere$prefix

for file in bin/parplan share/man/man1/parplan.1 share/man/man1/parplan-search.1 share/man/man5/parplan-model.5 \
    share/bash-completion/completions/parplan share/zsh/site-functions/_parplan \
    share/fish/vendor_completions.d/parplan.fish; do
    [ -s "$tree/$file" ] || { echo "$file is not installed"; bad=1; }
done
unset PARPLAN_DATA
cd "$scratch" || exit 99
for name in $(basename -s .yaml -a "$tree"/share/parplan/models/*.yaml); do
    "$tree/bin/parplan" show model "$name" >/dev/null || bad=1
done
for name in $(basename -s .yaml -a "$tree"/share/parplan/topologies/*.yaml); do
    "$tree/bin/parplan" show topology "$name" >/dev/null || bad=1
done
exit $bad
