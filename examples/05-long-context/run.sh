#!/bin/sh
# Walk-through 5: sequences of 131,072 tokens. README.md beside this file tells the story.
. "$(dirname -- "$0")/../lib.sh"
job='--nodes 8 --seq-len 131072 --global-batch 64'

# shellcheck disable=SC2086 # the job is several options
{
    step search llama3-8b h100-sxm $job
    row search llama3-8b h100-sxm $job
    best=$(of step_time_s)
    holds "$(of cp) > 1"
    # Without context parallelism it takes longer.
    row search llama3-8b h100-sxm $job --cp 1
    holds "$(of step_time_s) > $best"
    # Each way to exchange, over the two nodes that 16 ranks span.
    for kind in ring allgather ulysses usp; do
        row search llama3-8b h100-sxm $job --cp 16 --cp-kind $kind
        [ "$(of cp_kind)" = $kind ] || wrong "cp_kind is $(of cp_kind)"
        printf '%-10s %s s a step, %s s of it waiting for context parallelism\n' $kind "$(of step_time_s)" \
            "$(of cp_exposed_s)"
        holds "$(of step_time_s) >= $best"
    done
    # Ulysses cuts heads, of which Llama-3-8B has 32, 8 of keys and values: more ranks than heads is against a rule.
    ends 3 estimate llama3-8b h100-sxm $job --cp 64 --cp-kind ulysses
    says '^infeasible: cp-heads: '
    step estimate llama3-8b h100-sxm $job --cp 64 --cp-kind ring --zero 3 --recompute selective
}
