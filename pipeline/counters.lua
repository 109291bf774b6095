-- Prelude of every script that counts: moves are gathered and written once, in the script that makes them true.
local moves = {}

-- Count `by` (one by default) more of `name` for a group ('' for what belongs to no group of the ledger).
local function count(group, name, by)
  local names = moves[group]
  if not names then
    names = {}
    moves[group] = names
  end
  names[name] = (names[name] or 0) + (by or 1)
end

-- Write the moves to the totals and to the day's hash, whose fields are `group|name`.
local function settle(totals, day, seconds)
  for group, names in pairs(moves) do
    for name, by in pairs(names) do
      redis.call('HINCRBY', totals, name, by)
      redis.call('HINCRBY', day, group .. '|' .. name, by)
    end
  end
  redis.call('EXPIRE', day, seconds)
end
