-- SPDX-License-Identifier: Apache-2.0
-- One request again and again. Argument: a file with the method, then header lines, then (after an empty line) the body.
local report = require "report"

function init(args)
	local head, body = report.read(args[1]):match("^(.-)\n\n(.*)$")
	local first = true

	for line in head:gmatch("[^\n]+") do
		if first then
			wrk.method = line
		else
			local name, value = line:match("^([^:]+): (.*)$")
			wrk.headers[name] = value
		end
		first = false
	end
	if #body > 0 then
		wrk.body = body
	end
end
