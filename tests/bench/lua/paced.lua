-- SPDX-License-Identifier: Apache-2.0
-- As same.lua, but each connection waits between its requests. Second argument: the mean wait in milliseconds.
require "same"
local same_init = init
local longest

function init(args)
	same_init(args)
	longest = 2 * tonumber(args[2])
end

function delay()
	return math.random(0, longest)
end
