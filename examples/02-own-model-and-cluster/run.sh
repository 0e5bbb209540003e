#!/bin/sh
# Walk-through 2: bring your own model and cluster. README.md beside this file tells the story.
. "$(dirname -- "$0")/../lib.sh"

step show model model.yaml
says '^ours-14b: 14\.. B parameters'
step show topology cluster.yaml
says '^our-cluster: 128 devices in 16 nodes'
says '2 ib ports of 100 Gbit/s'

step search model.yaml cluster.yaml --global-batch 512
says '^ours-14b, 14\.. B parameters, on our-cluster \(128 x a100-sxm in 16 nodes\)'

# What the thin network costs: the same servers with all eight adapters.
row search model.yaml cluster.yaml --global-batch 512
thin=$(of step_time_s)
row search model.yaml a100-sxm-80g --nodes 16 --global-batch 512
wide=$(of step_time_s)
holds "$wide < $thin"

# Mistakes are found in one pass, each with its place; nothing is run.
ends 2 show topology typos.yaml
says 'nics.rate: a rate needs a unit, such as'
says "unknown key 'latncy'"
says 'latency: 5GB is a size; a duration is wanted'
says "must be a whole number, not .*16\.5"
says 'did you mean fat_tree'
