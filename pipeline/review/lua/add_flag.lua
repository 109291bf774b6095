-- A flag arrives: once only, into the case it belongs to or a new one, with its place in the queue and its figures.
-- ARGV: facts (JSON), sealed flag, rules (JSON), id for a new case, now, day, seconds a day's figures live.
-- Returns the case's id, or '' when the flag was known or its group is erased.
local facts, rules, now, day = cjson.decode(ARGV[1]), cjson.decode(ARGV[3]), ARGV[5], ARGV[6]
local flag = P .. 'flag:' .. facts.id
if redis.call('EXISTS', flag, P .. 'erased:' .. facts.group) > 0 then return '' end

-- What this flag asks of a case, as members of the case's set of ties (written below, same prefixes).
local asked, kinds = {}, {}
local function ask(kind, tie)
  table.insert(asked, tie)
  table.insert(kinds, kind)
end
if facts.reply ~= '' then
  ask('reply', 'flagged:' .. facts.reply)
  ask('reply', 'context:' .. facts.reply)
end
ask('reply', 'reply:' .. facts.id)
for _, id in ipairs(facts.before) do ask('conversation', 'flagged:' .. id) end
ask('conversation', 'context:' .. facts.id)
ask('same_author', 'author:' .. facts.author)
ask('same_target', 'target:' .. facts.author)
if facts.target ~= '' then
  ask('same_target', 'target:' .. facts.target)
  ask('same_target', 'author:' .. facts.target)
end
for _, family in ipairs(facts.families) do ask('same_family', 'family:' .. family) end

local widest = 0
for _, rule in ipairs(rules.join) do widest = math.max(widest, rule.within_seconds) end
-- A dozen of the group's latest cases is plenty: older ones are out of reach of every rule in any real group.
local near = redis.call('ZREVRANGEBYSCORE', P .. 'cases:' .. facts.group,
  exact(facts.at + rules.limits.span_seconds), exact(facts.at - widest), 'LIMIT', 0, 12)
local candidates = {}
for order, case in ipairs(near) do
  local name = P .. 'case:' .. case
  local state = redis.call('HMGET', name, 'first_at', 'last_at', 'messages', 'closed_at')
  local first, last = tonumber(state[1]), tonumber(state[2])
  local holds = {}
  for index, tied in ipairs(redis.call('SMISMEMBER', name .. ':ties', unpack(asked))) do
    if tied == 1 then holds[kinds[index]] = true end
  end
  table.insert(candidates, {
    case = case, order = order, holds = holds,
    gap = math.max(0, first - facts.at, facts.at - last),
    fits = not state[4] and tonumber(state[3]) < rules.limits.messages
      and math.max(last, facts.at) - math.min(first, facts.at) <= rules.limits.span_seconds,
  })
end
table.sort(candidates, function(a, b)
  if a.gap ~= b.gap then return a.gap < b.gap end
  return a.order < b.order
end)

local joined, why, follows
for _, rule in ipairs(rules.join) do
  for _, candidate in ipairs(candidates) do
    local all = candidate.gap <= rule.within_seconds
    for _, need in ipairs(rule.needs) do all = all and candidate.holds[need] end
    if all and candidate.fits and not joined then
      joined, why = candidate.case, rule.name
    elseif all and not candidate.fits then
      follows = follows or candidate.case
    end
  end
end

local case = joined or ARGV[4]
local name = P .. 'case:' .. case
if not joined then
  redis.call('HSET', name, 'group', facts.group, 'opened_at', now)
  if follows then redis.call('HSET', name, 'follows', follows) end
  redis.call('ZADD', P .. 'opened', now, case)
end
redis.call('HSET', flag, 'case', case, 'day', day, 'body', ARGV[2])
redis.call('HSET', name .. ':members', facts.id, ARGV[1])
local ties = { 'flagged:' .. facts.id, 'author:' .. facts.author }
if facts.reply ~= '' then table.insert(ties, 'reply:' .. facts.reply) end
if facts.target ~= '' then table.insert(ties, 'target:' .. facts.target) end
for _, id in ipairs(facts.before) do table.insert(ties, 'context:' .. id) end
for _, family in ipairs(facts.families) do table.insert(ties, 'family:' .. family) end
redis.call('SADD', name .. ':ties', unpack(ties))
refresh(case, facts.group, rules.raise)

local figures = P .. 'day:' .. day
redis.call('HINCRBY', figures, 'flags', 1)
redis.call('HINCRBY', figures, 'group:' .. facts.group, 1)
for _, label in ipairs(facts.labels) do redis.call('HINCRBY', figures, 'label:' .. label, 1) end
redis.call('EXPIRE', figures, ARGV[7])
record_case(now, 'vangnet', joined and 'joined' or 'opened', case, cjson.encode({ facts.id }), '', why or '', '')
changed()
return case
