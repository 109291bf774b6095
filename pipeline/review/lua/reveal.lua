-- A mentor asks for an author's name: the trail has it before the sealed flag is handed out.
-- ARGV: case, message id, mentor, sealed reason, allowed, now.
-- Returns {what is wrong: '' absent, unclaimed, missing; sealed flag}.
local case, id, mentor, now = ARGV[1], ARGV[2], ARGV[3], ARGV[6]
if not group_of(case, ARGV[5]) then return { 'absent', '' } end
if claimant(case, now) ~= mentor then return { 'unclaimed', '' } end
if redis.call('HEXISTS', P .. 'case:' .. case .. ':members', id) == 0 then return { 'missing', '' } end
record_case(now, mentor, 'revealed', case, cjson.encode({ id }), '', '', ARGV[4])
return { '', redis.call('HGET', P .. 'flag:' .. id, 'body') }
