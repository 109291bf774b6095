-- Store how far a consumer group has read and drop what no group needs any more.
-- KEYS: lease of the group, its offsets, the set of the offsets' names of all groups
-- ARGV: the lease's token; then four for each partition: field, offset, stream, "1" when it may be trimmed.
-- Returns 0 when the lease is not ours (a worker that was frozen and replaced must not commit), else 1.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
local groups = redis.call('SMEMBERS', KEYS[3])
for at = 2, #ARGV, 4 do
  local field, offset, stream, trim = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3] == '1'
  local before = tonumber(redis.call('HGET', KEYS[2], field) or '0')
  if offset > before then
    redis.call('HSET', KEYS[2], field, ARGV[at + 1])
  end
  if trim then
    local lowest = math.max(offset, before)
    for _, group in ipairs(groups) do
      local other = redis.call('HGET', group, field)
      if other then
        lowest = math.min(lowest, tonumber(other))
      end
    end
    redis.call('XTRIM', stream, 'MINID', '=', string.format('0-%.0f', lowest + 1))
  end
end
return 1
