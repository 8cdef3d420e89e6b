-- What wrk sends, by the environment; tells at the end what it counted, as one line of JSON.
function init()
  local bytes = tonumber(os.getenv("BODY_BYTES"))
  if bytes > 0 then
    wrk.method = "POST"
    wrk.body = string.rep("x", bytes)
  end
  local pipelined = tonumber(os.getenv("PIPELINED"))
  if pipelined > 1 then
    local requests = string.rep(wrk.format(), pipelined)
    request = function() return requests end
  end
end

-- Only where `request` is there when wrk looks does it count several requests in one write.
if tonumber(os.getenv("PIPELINED")) > 1 then
  request = function() return "" end
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests":%d,"us":%d,"bytes":%d,"badStatus":%d,"broken":%d,"p50Us":%d,"p99Us":%d}',
    summary.requests, summary.duration, summary.bytes, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)
  ))
end
