-- Enter a group unless its place on the platform is taken.
-- KEYS: index (hash: platform pseudonym -> group id), the group's hash
-- ARGV: platform pseudonym, group id, then fields and values of the group's hash
-- Returns the id that holds the place: the given one when it was entered (or had been, by the same call repeated).
local holder = redis.call('HGET', KEYS[1], ARGV[1])
if holder then
  return holder
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
for at = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
end
return ARGV[2]
