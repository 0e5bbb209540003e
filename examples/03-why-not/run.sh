#!/bin/sh
# Walk-through 3: why not? README.md beside this file tells the story.
. "$(dirname -- "$0")/../lib.sh"
job='--global-batch 256 --seq-len 4096 --zero 0..1 --cp 1'

# Legal and it fits, but it is slower: by how much, and where.
# shellcheck disable=SC2086 # the job is several options
step search llama3-70b h100-sxm --gpus 128 $job --why-not tp=8,pp=2
says '^why not tp=8,pp=2: slower by [0-9.]+ ms'
# It does not fit: which part, how much is missing, on which rank.
# shellcheck disable=SC2086
step search llama3-70b h100-sxm --gpus 128 $job --why-not tp=2,pp=1
says '^why not tp=2,pp=1: nothing fits into memory: .* MiB too much; its largest part is'
# It is against a rule.
ends 3 estimate llama3-70b h100-sxm --gpus 128 --tp 6 --pp 2
says '^infeasible: tp-heads: tp must divide num_attention_heads'

# Nothing fits at all: exit status 3, the nearest miss, and what would help.
ends 3 search llama3-70b h100-sxm --nodes 2 --global-batch 64
says 'nothing fits into memory: the nearest .* on rank [0-9]+'
says 'help: it would fit with --moment-precision bf16|help: it would fit with .*--moment-precision bf16'
# And it does.
step search llama3-70b h100-sxm --nodes 2 --global-batch 64 --moment-precision bf16 --top 1
