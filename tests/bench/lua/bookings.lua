-- SPDX-License-Identifier: Apache-2.0
-- Bookings that never collide. Arguments: a file of lanes (a line each: access token, then spots), the first slot, the number of
-- threads, and "keyed" for an Idempotency-Key on each. A lane is a person; a lane's bookings follow each other minute by minute, over
-- its spots in turn, which no other lane uses.
local report = require "report"
local threads = 0

function setup(thread)
	thread:set("number", threads)
	threads = threads + 1
end

local lanes, count, slot, keyed, base, host = {}, 0, 0, false, 0, nil

local function instant(minute)
	return os.date("!%Y-%m-%dT%H:%M:%SZ", base + 60 * minute)
end

function init(args)
	local lane = 0

	for line in report.read(args[1]):gmatch("[^\n]+") do
		if lane % tonumber(args[3]) == number then
			local words = {}
			for word in line:gmatch("%S+") do
				words[#words + 1] = word
			end
			lanes[#lanes + 1] = {head = "Authorization: Bearer " .. table.remove(words, 1) .. "\r\n", spots = words}
		end
		lane = lane + 1
	end
	slot = tonumber(args[2])
	keyed = args[4] == "keyed"
	base = tonumber(args[5])
	host = "Host: " .. wrk.host .. ":" .. wrk.port .. "\r\n"
end

local starts_at, ends_at

function request()
	local lane = lanes[count % #lanes + 1]

	if count % #lanes == 0 then
		slot = slot + 1
		starts_at, ends_at = instant(slot), instant(slot + 1)
	end
	count = count + 1
	local body = '{"spot_id":"' .. lane.spots[slot % #lane.spots + 1] .. '","starts_at":"' .. starts_at ..
		'","ends_at":"' .. ends_at .. '"}'
	local key = keyed and string.format("Idempotency-Key: bench-%d-%d-%d\r\n", number, slot, count) or ""
	return "POST /v1/bookings HTTP/1.1\r\n" .. host .. lane.head .. key ..
		"Content-Type: application/json\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end
