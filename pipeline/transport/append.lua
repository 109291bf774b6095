-- Append records to one partition, numbered without a hole however many producers there are.
-- KEYS: stream, index (key -> id of its last record), tombstones (id -> key)
-- ARGV: "1" when the topic keeps only the last record of each key; then five for each record:
--       which of k(ey) v(alue) c(reation time) h(eaders) it has, and these four ("" when absent).
-- Returns the sequence number of the first record.
local stream, index, tombstones = KEYS[1], KEYS[2], KEYS[3]
local compacting = ARGV[1] == '1'
local clock = redis.call('TIME')
local now = string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000))
local names = {'k', 'v', 'c', 'h'}
local first, last

for at = 2, #ARGV, 5 do
  local has = ARGV[at]
  local fields = {'t', now}
  for place, name in ipairs(names) do
    if string.find(has, name, 1, true) then
      fields[#fields + 1] = name
      fields[#fields + 1] = ARGV[at + place]
    end
  end
  last = redis.call('XADD', stream, '0-*', unpack(fields))
  first = first or last
  if compacting and string.find(has, 'k', 1, true) then
    local key = ARGV[at + 1]
    local previous = redis.call('HGET', index, key)
    redis.call('HSET', index, key, last)
    if previous then
      redis.call('XDEL', stream, previous)
      redis.call('HDEL', tombstones, previous)
    end
    if not string.find(has, 'v', 1, true) then
      redis.call('HSET', tombstones, last, key)
    end
  end
end

-- A deletion that is not the last record has done its work. The last record must stay: recovery ends on reading it.
if compacting then
  local waiting = redis.call('HGETALL', tombstones)
  for at = 1, #waiting, 2 do
    local id, key = waiting[at], waiting[at + 1]
    if id ~= last then
      redis.call('XDEL', stream, id)
      redis.call('HDEL', tombstones, id)
      redis.call('HDEL', index, key)
    end
  end
end

return tonumber(string.sub(first, 3))
