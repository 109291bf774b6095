-- Record a batch that is durable on its topics: marks of what was seen, counters and the connector's cursor, in one step.
-- (Runs after counters.lua.)
-- KEYS: totals, the day's figures, batches recorded lately, cursors, then the seen-mark of each published message
-- ARGV: seconds a day's figures are kept, seconds a mark is kept, now, the batch's token, seconds a token is kept,
--       the cursor's name ('' for none) and value; how many counts follow, each a group, a name and a number;
--       then for each published message: group, how many counters follow, their names
-- Returns for each published message 1, or 0 when another batch brought it first; nothing when this batch was recorded
-- before (its answer was lost, and it was sent again).
local now = tonumber(ARGV[3])
if redis.call('ZSCORE', KEYS[3], ARGV[4]) then
  return false
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - tonumber(ARGV[5]))
redis.call('ZADD', KEYS[3], now, ARGV[4])

local at = 9
for _ = 1, tonumber(ARGV[8]) do
  count(ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]))
  at = at + 3
end

local new = {}
for key = 5, #KEYS do
  local group, names = ARGV[at], tonumber(ARGV[at + 1])
  if redis.call('SET', KEYS[key], '1', 'NX', 'EX', ARGV[2]) then
    new[#new + 1] = 1
    for name = at + 2, at + 1 + names do
      count(group, ARGV[name])
    end
  else
    new[#new + 1] = 0
    count(group, 'repeated')
  end
  at = at + 2 + names
end

if ARGV[6] ~= '' then
  redis.call('HSET', KEYS[4], ARGV[6], ARGV[7])
end
settle(KEYS[1], KEYS[2], ARGV[1])
return new
