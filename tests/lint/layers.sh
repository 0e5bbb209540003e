#!/bin/sh
# layers.sh ROOT: a folder of src includes only itself and folders below it, by "folder/file.h"; siblings do not include
# one another; a library's header appears only in the file that wraps the library.
set -u
cd "$1" || exit 99

# Folders by height; those on one line are siblings.
heights='base
yaml
model topology
schedule collective
plan
cost program timeline
search sim run port
cli'

# Library headers and the files that may have them (patterns of the shell).
owners='yaml.h src/yaml/*.c
glpk.h src/search/*.c
hwloc.h src/topology/detect.c
mpi.h src/run/backend_mpi.c
nccl.h src/run/backend_nccl.c
cuda_runtime.h src/run/backend_cuda.*
nvml.h src/topology/detect_nvml.c
expat.h src/port/*.c
zlib.h src/timeline/*.c
cblas.h src/run/*.c'

for file in src/*/*.[ch] src/main.c; do
    folder=${file#src/}
    folder=${folder%/*}
    [ "$folder" = main.c ] && folder=main
    sed -n 's/^[ \t]*#[ \t]*include[ \t]*\([<"][^>"]*\)[>"].*/\1/p' "$file" | while read -r include; do
        echo "$file $folder $include"
    done
done | awk -v heights="$heights" -v owners="$owners" '
function glob(pattern, path) {
    gsub(/\./, "\\.", pattern)
    gsub(/\*/, "[^/]*", pattern)
    return path ~ ("^" pattern "$")
}
BEGIN {
    rows = split(heights, row, "\n")
    for (i = 1; i <= rows; i++) { n = split(row[i], name, " "); for (j = 1; j <= n; j++) height[name[j]] = i }
    height["main"] = rows + 1
    rows = split(owners, row, "\n")
    for (i = 1; i <= rows; i++) { split(row[i], part, " "); owner[part[1]] = part[2] }
    bad = 0
}
function complain(text) { print text; bad = 1 }
{
    file = $1; folder = $2; include = substr($3, 2)
    if (!(folder in height)) complain(file ": folder " folder " has no place in the layers")
    if (substr($3, 1, 1) == "<") {
        if (include in owner && !glob(owner[include], file)) complain(file ": <" include "> belongs in " owner[include])
        if (include ~ /^criterion/) complain(file ": <" include "> belongs in tests")
        next
    }
    slash = index(include, "/")
    target = slash ? substr(include, 1, slash - 1) : ""
    if (!slash) complain(file ": \"" include "\" is not of the form \"folder/file.h\"")
    else if (!(target in height)) complain(file ": \"" include "\" is in no layer")
    else if (target != folder && height[target] >= height[folder]) complain(file ": " folder " may not include " include)
}
END { exit bad }'
