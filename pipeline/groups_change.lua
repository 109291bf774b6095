-- Change fields of a group that is in the ledger; one that was removed meanwhile does not come back.
-- KEYS: the group's hash
-- ARGV: fields and values
-- Returns 1 when it was changed.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
for at = 1, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
end
return 1
