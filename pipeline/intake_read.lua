-- Look up the groups of a batch, in one step with how far its connector was.
-- KEYS: index of groups, cursors
-- ARGV: the cursor's name ('' for none), prefix of a group's hash, then the pseudonym of each group
-- Returns the cursor's value, then for each group its id and its hash (flat), or nothing when it is not in the ledger.
local answer = {ARGV[1] ~= '' and redis.call('HGET', KEYS[2], ARGV[1])}
for at = 3, #ARGV do
  local id = redis.call('HGET', KEYS[1], ARGV[at])
  answer[#answer + 1] = id and {id, redis.call('HGETALL', ARGV[2] .. id)}
end
return answer
