-- wrk -s wrk.lua URL -- FILE_OF_BODY_OR_EMPTY CLIENTS_OF_A_THREAD RAMP_IN_MS [NAME=VALUE of a header]...
-- The request is fixed before the first one is sent, so that without a ramp no Lua runs between requests.
function init(args)
  local clients, ramp = tonumber(args[2]), tonumber(args[3])
  if ramp > 0 then
    local begun = 0
    function delay()
      begun = begun + 1
      return begun <= clients and math.random(0, ramp) or 0
    end
  end
  if args[1] ~= "" then
    local file = assert(io.open(args[1], "rb"))
    wrk.method, wrk.body = "POST", file:read("*a")
    file:close()
  end
  for place = 4, #args do
    local name, value = args[place]:match("^([^=]+)=(.*)$")
    wrk.headers[name] = value
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "microseconds": %d, "bytes": %d, "p50": %d, "p99": %d, "max": %d, ' ..
    '"connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}\n',
    summary.requests, summary.duration, summary.bytes,
    latency:percentile(50), latency:percentile(99), latency.max,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
