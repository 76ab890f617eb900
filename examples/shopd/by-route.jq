# A summary by route of what `weir trace --json 'shop:request__done'` prints: requests, and how many
# milliseconds half, 99 of 100 and all of them took at most.
#   weir trace -p PID --json --duration 5 'shop:request__done' | jq -rs -f examples/shopd/by-route.jq
def quantile(q): sort | .[((length - 1) * q) | round];
def round2: . * 100 | round / 100;

["route", "requests", "p50 ms", "p99 ms", "max ms"],
(group_by(.fields.route)[]
	| map(.fields.ms) as $ms
	| [.[0].fields.route, length, ($ms | quantile(0.5, 0.99, 1) | round2)])
| @tsv
