-- SPDX-License-Identifier: Apache-2.0
-- Refresh tokens, each used once and replaced by the one that came back. Arguments: a file of them (a line each), the file with
-- the head of the request (as for same.lua, with the constant part of the form as its body), and the number of threads.
local report = require "report"
local threads = 0

function setup(thread)
	thread:set("number", threads)
	threads = threads + 1
end

local pool, first, last = {}, 1, 0
local start, form

local function put(token)
	last = last + 1
	pool[last] = token
end

function init(args)
	local head, place = {}, 0
	local text, body = report.read(args[2]):match("^(.-)\n\n(.*)$")

	for token in report.read(args[1]):gmatch("[^\n]+") do
		if place % tonumber(args[3]) == number then
			put(token)
		end
		place = place + 1
	end
	for line in text:gmatch("[^\n]+") do
		head[#head + 1] = line
	end
	local method = table.remove(head, 1)
	start = method .. " " .. wrk.path .. " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\n" ..
		table.concat(head, "\r\n") .. "\r\nContent-Length: "
	form = body
end

function request()
	local token = pool[first] or "none-left"
	local body = form .. token

	pool[first] = nil
	first = first + 1
	return start .. #body .. "\r\n\r\n" .. body
end

function response(status, headers, body)
	local token = body:match('"refresh_token":"([^"]+)"')

	if status == 200 and token then
		put(token)
	end
end
