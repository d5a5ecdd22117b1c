-- SPDX-License-Identifier: Apache-2.0
-- What every script prints at its end: one line for benchlib/load.py.
local report = {}

function report.read(path)
	local file = assert(io.open(path, "r"))
	local text = file:read("*a")
	file:close()
	return text
end

function done(summary, latency, requests)
	local errors = summary.errors
	print(string.format('BENCH {"answers":%d,"seconds":%.6f,"bytes":%d,"bad_status":%d,"connect":%d,"read":%d,' ..
		'"write":%d,"timeout":%d,"p50_ms":%.4f,"p99_ms":%.4f}',
		summary.requests, summary.duration / 1e6, summary.bytes, errors.status, errors.connect, errors.read,
		errors.write, errors.timeout, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end

return report
