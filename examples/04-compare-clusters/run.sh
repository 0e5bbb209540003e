#!/bin/sh
# Walk-through 4: the same job on two clusters. README.md beside this file tells the story.
. "$(dirname -- "$0")/../lib.sh"

# Two offers in short form: 64 H100s, or 128 A100s with half the network each.
new='8xh100-sxm*8@8x400G'
old='8xa100-sxm-80g*16@8x200G'
step show topology "$new"
says '64 devices in 8 nodes'
step search llama3-8b "$new" --global-batch 512 --top 1
says 'USD and .* a million tokens'
step search llama3-8b "$old" --global-batch 512 --top 1

# What ten thousand million tokens take on each.
row search llama3-8b "$new" --global-batch 512
new_rate=$(of tokens_per_s) new_cost=$(of cost_per_mtoken_usd) new_energy=$(of energy_per_mtoken_j)
row search llama3-8b "$old" --global-batch 512
old_rate=$(of tokens_per_s) old_cost=$(of cost_per_mtoken_usd) old_energy=$(of energy_per_mtoken_j)
for line in "H100 $new_rate $new_cost $new_energy" "A100 $old_rate $old_cost $old_energy"; do
    echo "$line" | awk '{ printf "%s  %5.2f h  %5.0f USD  %5.0f kWh for 10 G tokens\n", $1, 1e10 / $2 / 3600, 1e4 * $3,
        1e4 * $4 / 3.6e6 }'
done
holds "$new_rate > $old_rate"
holds "$new_cost < $old_cost"
holds "$new_energy < $old_energy"
# The cost is the price of all devices over the rate.
price=$("$program" show topology h100-sxm --format json | sed -n 's/^ *"price_usd_per_h": \([0-9.]*\),*$/\1/p' | sed -n 1p)
[ -n "$price" ] || wrong 'h100-sxm has no price'
holds "($new_cost - $price * 64 / 3600 / $new_rate * 1e6) ^ 2 < (1e-6 * $new_cost) ^ 2"

# One adapter a node instead of eight.
step search llama3-8b '8xh100-sxm*8@1x400G' --global-batch 512 --top 1
row search llama3-8b '8xh100-sxm*8@1x400G' --global-batch 512
holds "$(of tokens_per_s) < $new_rate"
holds "$(of dp_exposed_s) > 0"
