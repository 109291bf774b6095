-- Drop the records of one partition that were appended longer ago than an age, a piece of at most 500.
-- KEYS: stream
-- ARGV: the age in milliseconds, by the server's own clock
-- Returns how many were dropped; 500 means that there may be more.
local entries = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 500)
local clock = redis.call('TIME')
local cutoff = clock[1] * 1000 + math.floor(clock[2] / 1000) - tonumber(ARGV[1])
local dropped, last = 0, nil
for _, entry in ipairs(entries) do
  if tonumber(entry[2][2]) >= cutoff then -- `t`, the first field
    break
  end
  dropped, last = dropped + 1, entry[1]
end
if last then
  redis.call('XTRIM', KEYS[1], 'MINID', '=', string.format('0-%.0f', tonumber(string.sub(last, 3)) + 1))
end
return dropped
