-- Give the hashes of groups, each flat; an empty one for a group that the ledger does not hold.
-- KEYS: the hash of each group
local answer = {}
for at, name in ipairs(KEYS) do
  answer[at] = redis.call('HGETALL', name)
end
return answer
