-- Opt a group out: its names, its data key and its context window go in one step; a dated record without names stays.
-- KEYS: index, the group's hash, its context window, removed groups (hash: group id -> record)
-- ARGV: group id, the record
-- Returns 1 when it was in the ledger.
local index = redis.call('HGET', KEYS[2], 'index')
if not index then
  return 0
end
redis.call('HDEL', KEYS[1], index)
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('HSET', KEYS[4], ARGV[1], ARGV[2])
return 1
