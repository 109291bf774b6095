-- A mentor puts a message that could not be judged aside: its text goes, the mark stays.
-- ARGV: id, mentor, sealed reason, allowed, now. Returns '' or what is wrong: missing.
local id, mentor, now = ARGV[1], ARGV[2], ARGV[5]
local item = P .. 'parked-item:' .. id
local group = redis.call('HGET', item, 'group')
if not group or not redis.call('ZSCORE', P .. 'parked', id) then return 'missing' end
if ARGV[4] ~= '' then
  local allowed = false
  for _, one in ipairs(cjson.decode(ARGV[4])) do allowed = allowed or one == group end
  if not allowed then return 'missing' end
end
redis.call('HDEL', item, 'body')
redis.call('HSET', item, 'dismissed_by', mentor, 'dismissed_at', now, 'dismissed_for', ARGV[3])
redis.call('ZREM', P .. 'parked', id)
redis.call('ZREM', P .. 'parked:' .. group, id)
redis.call('ZADD', P .. 'parked-done', now, id)
record(now, mentor, 'parked_dismissed', '', cjson.encode({ id }), '', '')
changed()
return ''
