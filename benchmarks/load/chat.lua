-- wrk's side of the comparisons: posts the chat in BENCH_BODY and ends with one line of JSON.
local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.body = file:read("*a")
file:close()
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "application/json"
wrk.headers["User-Agent"] = "bench"

-- Every answer that is not a 200 is counted by wrk itself; what else went wrong is added to it.
function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format('\n{"requests":%d,"seconds":%.6f,"errors":%d,"p50":%.1f,"p99":%.1f}\n', summary.requests,
    summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))
end
