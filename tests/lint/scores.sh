#!/bin/sh
# scores.sh ROOT PARPLAN CORPUS: the score tables of README.md are what `parplan score CORPUS` gives. The corpus is other
# people's data and not in the repository: without it the test is skipped (exit status 77). BLESS=1 writes the tables.
set -u
program=$(realpath "$2")
corpus=$3
[ -f "$corpus" ] || { echo "no corpus $corpus: skipped"; exit 77; }
cd "$1" || exit 99
scratch=$(mktemp -d "${TMPDIR:-/tmp}/parplan-scores.XXXXXX") || exit 99
trap 'rm -rf "$scratch"' EXIT
PARPLAN_DATA=$PWD "$program" score "$corpus" --format json >"$scratch/json" || exit 1

# Which sources are shown, under which name; those of at least ten rows must all be here. Memory kinds: ten rows as well.
cat >"$scratch/names" <<'NAMES'
Korthikanti et al.|Korthikanti et al. 2022, table 5
vTrain/data|vTrain (MICRO 2024), multi-node
Zero Bubble Pipeline|Zero Bubble (arXiv:2401.10241)
Vocabulary Parallelism paper|Vocabulary Parallelism (arXiv:2411.05288), table 5
VocabularyParallelism repo artifact/exp|its artifact, one host
VocabularyParallelism repo artifact/example|its artifact, example run
mosaicml/llm-foundry|MosaicML llm-foundry
NVIDIA/dgxc-benchmarking llama3.1/README.md @741c886|DGX Cloud benchmarks, Llama 3.1
NVIDIA/NeMo docs/source/performance/performance_summary.md|NeMo 24.07 performance page
NVIDIA/NeMo-Framework-Launcher|NeMo Framework Launcher 2022
NVIDIA-NeMo/Megatron-Bridge|Megatron-Bridge performance pages
yanring/Megatron-MoE-ModelZoo best_practice/qwen3|Megatron MoE Model Zoo, Qwen3
NVIDIA/Megatron-LM docs/discussions/deepseek-v3-gb200|Megatron-LM, DeepSeek-V3 on GB200
bigscience-workshop/bigscience train/tr11-176B-ml/chronicles-prequel|BigScience, BLOOM tuning log
bigscience-workshop/bigscience experiments/tr3m-1B3|BigScience, 1.3B on V100
fully specified rows|**all fully specified rows**
the other rows|all other rows
NAMES

# The objects of the lists "sources", "totals" and "memory", one a line: list, name, rows, mape, median, spearman.
awk '
    /^  "[a-z]*": \[/ { list = $1; gsub(/[":]/, "", list) }
    list != "sources" && list != "totals" && list != "memory" { next }
    /^    [{]/ { name = ""; spearman = "null" }
    /"name": / { name = $0; sub(/^ *"name": "/, "", name); sub(/",$/, "", name) }
    /"(rows|mape|median_ape|spearman)": / { key = $1; gsub(/[":]/, "", key); value = $2; sub(/,$/, "", value)
        if (key == "rows") rows = value; if (key == "mape") mape = value
        if (key == "median_ape") median = value; if (key == "spearman") spearman = value }
    /^    [}]/ { if (rows > 0) printf "%s|%s|%d|%s|%s|%s\n", list, name, rows, mape, median, spearman }
    /^  \]/ { list = "" }' "$scratch/json" >"$scratch/lines"

cells() { awk -F'|' -v name="$1" '{ printf "| %s | %d | %.1f %% | %.1f %% | %s |\n", name, $3, 100 * $4, 100 * $5,
    $6 == "null" ? "–" : sprintf("%.2f", $6) }'; }
{
    while IFS='|' read -r prefix name; do
        grep -v '^memory' "$scratch/lines" | awk -F'|' -v prefix="$prefix" 'index($2, prefix) == 1' | head -n 1 | cells "$name"
    done <"$scratch/names"
} >"$scratch/time"
awk -F'|' '$1 == "memory" && $3 >= 10' "$scratch/lines" | while IFS= read -r line; do
    kind=$(echo "$line" | cut -d'|' -f2)
    case $kind in
    allocated) name='allocated by the framework' ;;
    reserved) name='reserved by its allocator' ;;
    *) name='shown by nvidia-smi' ;;
    esac
    echo "$line" | cells "$name"
done >"$scratch/memory"
bad=0
awk -F'|' '$1 == "sources" && $3 >= 10 { print $2 }' "$scratch/lines" | while read -r source; do
    awk -F'|' -v source="$source" 'index(source, $1) == 1 { found = 1 } END { exit !found }' "$scratch/names" ||
        echo "a source of ten rows or more is not in the table of README.md: $source"
done | grep . && bad=1

awk -v at="$scratch" '
    /^\| (time of a step|peak memory) \|/ { print; getline; print; table = $0 ~ /./; skip = 1
        file = at (seen++ ? "/memory" : "/time"); while ((getline line < file) > 0) print line; next }
    skip && /^\|/ { next }
    { skip = 0; print }' README.md >"$scratch/README.md"
if [ "${BLESS:-}" = 1 ]; then
    cmp -s "$scratch/README.md" README.md || cp "$scratch/README.md" README.md
    exit $bad
fi
diff -u README.md "$scratch/README.md" >"$scratch/diff" && exit $bad
echo 'the score tables of README.md are old (- there, + now); BLESS=1 renews them'
tail -n +3 "$scratch/diff"
exit 1
