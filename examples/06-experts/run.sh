#!/bin/sh
# Walk-through 6: DeepSeek-V3 on 2,048 H800s. README.md beside this file tells the story.
. "$(dirname -- "$0")/../lib.sh"

step show model deepseek-v3
says '671 B parameters, 37\.6 B active per token'
step search deepseek-v3 h800-sxm job.yaml --gpus 2048
row search deepseek-v3 h800-sxm job.yaml --gpus 2048
flex=$(of step_time_s)
rate=$(of tokens_per_s)
holds "$(of peak_bytes) <= $(of limit_bytes)"

# Other ways to bring tokens to experts: a copy for each expert, all tokens to all ranks.
for dispatch in alltoall allgather; do
    row search deepseek-v3 h800-sxm job.yaml --gpus 2048 --dispatch $dispatch
    printf '%-10s %s s a step, %s s of it waiting for experts\n' $dispatch "$(of step_time_s)" "$(of ep_exposed_s)"
    holds "$(of step_time_s) > $flex"
done

# The report (arXiv:2412.19437, table 1): 180 K GPU-hours a trillion tokens.
published=$(awk 'BEGIN { printf "%.0f", 1e12 / (180e3 / 2048 * 3600) }')
echo "tokens/s: $rate here, $published published"
holds "$rate > 0.85 * $published && $rate < 1.15 * $published"
