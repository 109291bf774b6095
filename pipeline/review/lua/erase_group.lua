-- Everything of a group goes at once, and what of it is still on the way is refused.
-- ARGV: group, now, seconds to refuse. Returns {cases, flags, parked}.
local group, cases, flags, parked = ARGV[1], 0, 0, 0
redis.call('SET', P .. 'erased:' .. group, ARGV[2], 'EX', ARGV[3])
for _, case in ipairs(redis.call('ZRANGE', P .. 'cases:' .. group, 0, -1)) do
  cases = cases + 1
  flags = flags + erase(case, group)
end
for _, id in ipairs(redis.call('ZRANGE', P .. 'parked-all:' .. group, 0, -1)) do
  parked = parked + 1
  erase_parked(id, group)
end
record(ARGV[2], 'vangnet', 'group_erased', '', '[]', '',
  string.format('group %s: %d cases, %d flags, %d parked', group, cases, flags, parked))
changed()
return { cases, flags, parked }
