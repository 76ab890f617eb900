-- Requests for wrk: half front pages, some carts and orders, a few searches, now and then a page
-- that is not there.
--   wrk -t1 -c16 -d10s -s examples/shopd/load.lua http://127.0.0.1:PORT/
local n = 0

request = function()
	n = n + 1
	local kind = n % 20
	if kind < 10 then return wrk.format("GET", "/") end
	if kind < 14 then return wrk.format("GET", "/cart") end
	if kind < 17 then return wrk.format("GET", "/order/" .. n) end
	if kind < 19 or n % 100 < 80 then return wrk.format("GET", "/search?q=rope") end
	return wrk.format("GET", "/nowhere")
end
