-- Record what became of a batch of messages: outcome, counters and context window in one step, each message once.
-- (Runs after counters.lua.)
-- KEYS: totals, the day's figures, then three for each message: its outcome mark, its group's hash, its group's window
-- ARGV: seconds a day's figures are kept, seconds a mark is kept, entries of a window, milliseconds an entry is held,
--       now in milliseconds; then for each message: group, status, entry of the window ('' for none), how many counters
--       follow, their names
-- Returns for each message 1 when it was recorded now, 0 when it had been.
local entries, held, now = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local recorded = {}
local at, key = 6, 3
while key <= #KEYS do
  local mark, group_hash, window = KEYS[key], KEYS[key + 1], KEYS[key + 2]
  local group, status, entry, names = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  if redis.call('SET', mark, status, 'NX', 'EX', ARGV[2]) then
    recorded[#recorded + 1] = 1
    for name = at + 4, at + 3 + names do
      count(group, ARGV[name])
    end
    -- A group that opted out while its message was scored keeps no window.
    if entry ~= '' and redis.call('EXISTS', group_hash) == 1 then
      redis.call('RPUSH', window, string.format('%013.0f', now + held) .. entry)
      redis.call('LTRIM', window, -entries, -1)
      redis.call('PEXPIRE', window, held)
    end
  else
    recorded[#recorded + 1] = 0
  end
  at = at + 4 + names
  key = key + 3
end
settle(KEYS[1], KEYS[2], ARGV[1])
return recorded
