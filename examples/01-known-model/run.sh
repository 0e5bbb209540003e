#!/bin/sh
# Walk-through 1: choose a plan for a known model. README.md beside this file tells the story.
. "$(dirname -- "$0")/../lib.sh"

step show model llama3-70b
says 'llama3-70b: 70.6 B parameters'
step show topology h100-sxm --gpus 512
says '^h100-sxm: 512 devices in 64 nodes'

# The whole space: the best is proven to be the best.
step search llama3-70b h100-sxm --gpus 512 --seq-len 8192
says 'no plan is faster than .* \(gap 0\.0%\)'
row search llama3-70b h100-sxm --gpus 512 --seq-len 8192
best=$(of step_time_s)
holds "$(of peak_bytes) <= $(of limit_bytes)"

# The part of it that one's framework can run.
step search llama3-70b h100-sxm --gpus 512 --seq-len 8192 --zero 0..1 --cp 1 --schedule none,1f1b,interleaved -o plan.yaml
[ "$(sed -n 1p plan.yaml)" = 'schema: parplan/plan/v1' ] || wrong 'plan.yaml is no plan'
row search llama3-70b h100-sxm --gpus 512 --seq-len 8192 --zero 0..1 --cp 1 --schedule none,1f1b,interleaved
ours=$(of step_time_s)
holds "$best <= $ours"
holds "$(of zero) <= 1"
holds "$(of cp) == 1"

# The plan as a person reads it.
step show plan plan.yaml
says '^llama3-70b on h100-sxm, 512 devices'

# The same configuration, given by hand, has the same price.
tp=$(of tp) pp=$(of pp) vpp=$(of vpp) sp=--no-sp
[ "$(of sp)" = false ] || sp=--sp
row estimate llama3-70b h100-sxm --gpus 512 --seq-len 8192 --tp "$tp" --pp "$pp" --vpp "$vpp" "$sp" --zero "$(of zero)" \
    --micro-batch "$(of micro_batch)" --schedule "$(of schedule)" --recompute "$(of recompute)" --stages "$(of stages)" \
    --order "$(of order)"
holds "$(of step_time_s) == $ours"
echo "estimate agrees with search: $ours s"
