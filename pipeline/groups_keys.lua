-- Give the data keys of groups.
-- KEYS: records of groups that opted out, then the hash of each group
-- ARGV: the id of each group
-- Returns for each group its wrapped key (nothing when the ledger does not hold it) and 1 when it opted out.
local answer = {}
for at = 2, #KEYS do
  answer[#answer + 1] = redis.call('HGET', KEYS[at], 'key')
  answer[#answer + 1] = redis.call('HEXISTS', KEYS[1], ARGV[at - 1])
end
return answer
