-- Shared by every script of the review store; prepended to each. KEYS[1] is the prefix of all keys (layout.py).
local P = KEYS[1]

local function exact(number)
  -- tostring() would cut a time to 14 digits.
  return string.format('%.17g', number)
end

local function changed()
  redis.call('PUBLISH', P .. 'changes', redis.call('INCR', P .. 'revision'))
end

-- One line in the global trail. `note` is the system's own words; a person's reason never stands here.
local function record(at, actor, action, case, messages, outcome, note)
  redis.call('XADD', P .. 'audit', '*', 'at', at, 'actor', actor, 'action', action, 'case', case, 'messages', messages,
    'outcome', outcome, 'note', note)
end

-- The same in a case's own trail too, there with the reason (sealed): so it goes when the case goes.
local function record_case(at, actor, action, case, messages, outcome, note, reason)
  record(at, actor, action, case, messages, outcome, note)
  redis.call('XADD', P .. 'case:' .. case .. ':audit', '*', 'at', at, 'actor', actor, 'action', action, 'case', case,
    'messages', messages, 'outcome', outcome, 'note', note, 'reason', reason)
end

-- The case's group when it exists and is allowed, else nil. `allowed` is '' (all) or a JSON array of group ids.
local function group_of(case, allowed)
  local group = redis.call('HGET', P .. 'case:' .. case, 'group')
  if not group then return nil end
  if allowed == '' then return group end
  for _, id in ipairs(cjson.decode(allowed)) do
    if id == group then return group end
  end
  return nil
end

-- Who holds a running claim on the case, or nil.
local function claimant(case, now)
  local claim = redis.call('HMGET', P .. 'case:' .. case, 'claimed_by', 'claimed_until')
  if claim[1] and tonumber(claim[2]) > tonumber(now) then return claim[1] end
  return nil
end

local function grade(base, members, rules)
  local severity, raised = base, {}
  for _, rule in ipairs(rules) do
    local messages, authors, seen = 0, 0, {}
    for _, member in ipairs(members) do
      local fits = false
      for _, family in ipairs(rule.families) do
        for _, own in ipairs(member.families) do
          if own == family then fits = true end
        end
      end
      if fits then
        messages = messages + 1
        if not seen[member.author] then seen[member.author] = true; authors = authors + 1 end
      end
    end
    local graver = math.min(base + rule.steps, rule.up_to)
    if messages >= rule.messages and authors >= rule.authors and graver > base then
      table.insert(raised, rule.name)
      severity = math.max(severity, graver)
    end
  end
  return severity, raised
end

-- Compute the case's summary from its messages and outcomes and put it where it belongs in the queue.
-- `rules` (the raise rules) when a message was added; nil keeps the severity. Returns how many wait for an outcome.
local function refresh(case, group, rules)
  local name = P .. 'case:' .. case
  local outcomes = {}
  local flat = redis.call('HGETALL', name .. ':outcomes')
  for i = 1, #flat, 2 do outcomes[flat[i]] = flat[i + 1] end
  local members, labels, clauses, seen = {}, {}, {}, {}
  local base, authors, undecided = 1, 0, 0
  local first, last, waiting, latest
  for _, raw in ipairs(redis.call('HVALS', name .. ':members')) do
    local member = cjson.decode(raw)
    table.insert(members, member)
    base = math.max(base, member.severity)
    first = math.min(first or member.at, member.at)
    last = math.max(last or member.at, member.at)
    latest = math.max(latest or member.scored, member.scored)
    if not seen[member.author] then seen[member.author] = true; authors = authors + 1 end
    for _, label in ipairs(member.labels) do labels[label] = (labels[label] or 0) + 1 end
    for _, clause in ipairs(member.clauses) do clauses[clause] = (clauses[clause] or 0) + 1 end
    if not outcomes[member.id] then
      undecided = undecided + 1
      waiting = math.min(waiting or member.scored, member.scored)
    end
  end
  waiting = waiting or latest
  local severity
  if rules then
    local raised
    severity, raised = grade(base, members, rules)
    redis.call('HSET', name, 'severity', severity, 'raised', table.concat(raised, ' '))
  else
    severity = tonumber(redis.call('HGET', name, 'severity'))
  end
  redis.call('HSET', name, 'messages', #members, 'undecided', undecided, 'authors', authors, 'first_at', exact(first),
    'last_at', exact(last), 'waiting_since', exact(waiting), 'labels', cjson.encode(labels), 'clauses',
    cjson.encode(clauses))
  redis.call('ZADD', P .. 'cases:' .. group, exact(last), case)
  if undecided > 0 then
    -- layout.py: queue_score
    local score = exact((4 - severity) * 1e11 + waiting)
    redis.call('ZADD', P .. 'queue', score, case)
    redis.call('ZADD', P .. 'queue:' .. group, score, case)
  else
    redis.call('ZREM', P .. 'queue', case)
    redis.call('ZREM', P .. 'queue:' .. group, case)
  end
  return undecided
end

-- Remove every trace of a case but its lines in the global trail. Returns how many flags went.
local function erase(case, group)
  local name = P .. 'case:' .. case
  local flags = redis.call('HKEYS', name .. ':members')
  for _, id in ipairs(flags) do redis.call('DEL', P .. 'flag:' .. id) end
  redis.call('DEL', name, name .. ':members', name .. ':outcomes', name .. ':ties', name .. ':audit')
  for _, index in ipairs({ 'queue', 'queue:' .. group, 'cases:' .. group, 'closed', 'closed:' .. group, 'opened' }) do
    redis.call('ZREM', P .. index, case)
  end
  return #flags
end

local function erase_parked(id, group)
  redis.call('DEL', P .. 'parked-item:' .. id)
  for _, index in ipairs({ 'parked', 'parked:' .. group, 'parked-all', 'parked-done', 'parked-all:' .. group }) do
    redis.call('ZREM', P .. index, id)
  end
end
