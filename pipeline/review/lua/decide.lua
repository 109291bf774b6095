-- Messages of a case get their outcome, or another one: all of them or none.
-- ARGV: decide or revise, case, message ids (JSON), mentor, outcome, sealed reason, allowed, now, claim's end.
-- Returns '' or what is wrong: absent, claimed, closed, missing, decided, undecided.
local mode, case, ids, mentor, outcome = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), ARGV[4], ARGV[5]
local now, name = ARGV[8], P .. 'case:' .. ARGV[2]
local group = group_of(case, ARGV[7])
if not group then return 'absent' end
local holder = claimant(case, now)
if holder and holder ~= mentor then return 'claimed' end
local closed = redis.call('HEXISTS', name, 'closed_at') == 1
if closed and mode == 'decide' then return 'closed' end
for _, id in ipairs(ids) do
  if redis.call('HEXISTS', name .. ':members', id) == 0 then return 'missing' end
end
for _, id in ipairs(ids) do
  local decided = redis.call('HEXISTS', name .. ':outcomes', id) == 1
  if decided and mode == 'decide' then return 'decided' end
  if not decided and mode == 'revise' then return 'undecided' end
end

for _, id in ipairs(ids) do
  local flag = P .. 'flag:' .. id
  local figures = P .. 'day:' .. redis.call('HGET', flag, 'day')
  local labels = cjson.decode(redis.call('HGET', name .. ':members', id)).labels
  local earlier = redis.call('HGET', name .. ':outcomes', id)
  -- Figures of a day that are gone already stay gone: HINCRBY would make them anew without an end.
  if redis.call('EXISTS', figures) == 1 then
    if earlier then redis.call('HINCRBY', figures, 'outcome:' .. earlier, -1) end
    redis.call('HINCRBY', figures, 'outcome:' .. outcome, 1)
    for _, label in ipairs(labels) do
      if earlier then redis.call('HINCRBY', figures, 'label:' .. label .. ':' .. earlier, -1) end
      redis.call('HINCRBY', figures, 'label:' .. label .. ':' .. outcome, 1)
    end
  end
  redis.call('HSET', name .. ':outcomes', id, outcome)
  redis.call('HSET', flag, 'outcome', outcome, 'mentor', mentor, 'decided_at', now, 'reason', ARGV[6])
  if earlier then redis.call('HINCRBY', flag, 'revisions', 1) end
end
record_case(now, mentor, mode == 'decide' and 'decided' or 'revised', case, ARGV[3], outcome, '', ARGV[6])
local undecided = refresh(case, group, nil)
if undecided == 0 and not closed then
  redis.call('HSET', name, 'closed_at', now)
  redis.call('HDEL', name, 'claimed_by', 'claimed_until')
  redis.call('ZADD', P .. 'closed', now, case)
  redis.call('ZADD', P .. 'closed:' .. group, now, case)
  record_case(now, mentor, 'closed', case, '[]', '', '', '')
elseif not closed then
  redis.call('HSET', name, 'claimed_by', mentor, 'claimed_until', ARGV[9])
end
changed()
return ''
