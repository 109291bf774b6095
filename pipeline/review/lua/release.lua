-- A mentor gives a claim back. ARGV: case, mentor, allowed, now. Returns '' or what is wrong: absent.
local case, mentor, now = ARGV[1], ARGV[2], ARGV[4]
if not group_of(case, ARGV[3]) then return 'absent' end
if claimant(case, now) == mentor then
  redis.call('HDEL', P .. 'case:' .. case, 'claimed_by', 'claimed_until')
  record_case(now, mentor, 'released', case, '[]', '', '', '')
  changed()
end
return ''
