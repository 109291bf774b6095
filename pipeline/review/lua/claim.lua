-- A mentor takes a case for a while. ARGV: case, mentor, allowed, now, claim's end.
-- Returns '' or what is wrong: absent, claimed.
local case, mentor, now = ARGV[1], ARGV[2], ARGV[4]
if not group_of(case, ARGV[3]) then return 'absent' end
local holder = claimant(case, now)
if holder and holder ~= mentor then return 'claimed' end
redis.call('HSET', P .. 'case:' .. case, 'claimed_by', mentor, 'claimed_until', ARGV[5])
if not holder then
  record_case(now, mentor, 'claimed', case, '[]', '', '', '')
  changed()
end
return ''
