-- Drop the entries of a window that are over their term (each begins with its end, 13 digits of milliseconds).
-- KEYS: the window
-- ARGV: now in milliseconds
-- Returns how many were dropped.
local dropped = 0
while true do
  local first = redis.call('LINDEX', KEYS[1], 0)
  if not first or tonumber(string.sub(first, 1, 13)) > tonumber(ARGV[1]) then
    return dropped
  end
  redis.call('LPOP', KEYS[1])
  dropped = dropped + 1
end
