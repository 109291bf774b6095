-- A message that could not be judged goes on the list, once. Kept as a mark after dismissal, so that a repeated
-- delivery does not bring it back. ARGV: id, group, reason, attempts, failed at, sealed message or '', now.
local id, group = ARGV[1], ARGV[2]
local item = P .. 'parked-item:' .. id
if redis.call('EXISTS', item, P .. 'erased:' .. group) > 0 then return 0 end
redis.call('HSET', item, 'group', group, 'reason', ARGV[3], 'attempts', ARGV[4], 'failed_at', ARGV[5], 'body', ARGV[6])
redis.call('ZADD', P .. 'parked', ARGV[5], id)
redis.call('ZADD', P .. 'parked:' .. group, ARGV[5], id)
redis.call('ZADD', P .. 'parked-all', ARGV[7], id)
redis.call('ZADD', P .. 'parked-all:' .. group, ARGV[7], id)
changed()
return 1
