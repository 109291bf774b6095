-- Give the context windows of groups.
-- KEYS: for each group its hash and its window
-- Returns for each group its wrapped key (nothing when the ledger does not hold it) and the entries of its window.
local answer = {}
for at = 1, #KEYS, 2 do
  answer[at] = redis.call('HGET', KEYS[at], 'key')
  answer[at + 1] = redis.call('LRANGE', KEYS[at + 1], 0, -1)
end
return answer
