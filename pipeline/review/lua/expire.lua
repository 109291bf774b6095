-- Retention, a bounded number at a time so that nobody waits for it.
-- ARGV: closed before, arrived before, now, most cases at once. Returns {cases, flags, parked}.
local cases, flags, parked = 0, 0, 0
local function expire_cases(index, before)
  for _, case in ipairs(redis.call('ZRANGEBYSCORE', P .. index, '-inf', '(' .. before, 'LIMIT', 0, ARGV[4])) do
    flags = flags + erase(case, redis.call('HGET', P .. 'case:' .. case, 'group'))
    cases = cases + 1
    record(ARGV[3], 'vangnet', 'expired', case, '[]', '', '')
  end
end
local function expire_parked(index, before)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. index, '-inf', '(' .. before, 'LIMIT', 0, ARGV[4])) do
    erase_parked(id, redis.call('HGET', P .. 'parked-item:' .. id, 'group'))
    parked = parked + 1
  end
end
expire_cases('closed', ARGV[1])
expire_cases('opened', ARGV[2])
expire_parked('parked-done', ARGV[1])
expire_parked('parked-all', ARGV[2])
if cases + parked > 0 then changed() end
return { cases, flags, parked }
