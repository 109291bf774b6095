-- A mentor asks to see a message as typed, personal data included: the trail has it first.
-- ARGV: case, message id, mentor, allowed, now.
-- Returns what is wrong: '' absent, missing.
local case, id, mentor, now = ARGV[1], ARGV[2], ARGV[3], ARGV[5]
if not group_of(case, ARGV[4]) then return 'absent' end
if redis.call('HEXISTS', P .. 'case:' .. case .. ':members', id) == 0 then return 'missing' end
record_case(now, mentor, 'shown', case, cjson.encode({ id }), '', '', '')
return ''
