-- SPDX-License-Identifier: Apache-2.0
-- Forms of many browsers in turn. Arguments: a file of them (a line each: Cookie, tab, body), the path, the number of threads. A
-- thread has its own of them, so that no browser sends two forms at once.
local report = require "report"
local threads = 0

function setup(thread)
	thread:set("number", threads)
	threads = threads + 1
end

local forms, count, head = {}, 0, nil

function init(args)
	local n = 0

	for line in report.read(args[1]):gmatch("[^\n]+") do
		if n % tonumber(args[3]) == number then
			local cookie, body = line:match("^(.-)\t(.*)$")
			forms[#forms + 1] = "Cookie: " .. cookie .. "\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
		end
		n = n + 1
	end
	local origin = wrk.host .. ":" .. wrk.port
	head = "POST " .. args[2] .. " HTTP/1.1\r\nHost: " .. origin .. "\r\nOrigin: https://" .. origin ..
		"\r\nContent-Type: application/x-www-form-urlencoded\r\n"
end

function request()
	count = count + 1
	return head .. forms[(count - 1) % #forms + 1]
end
