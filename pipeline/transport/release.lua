-- Give up a lease. KEYS: lease; ARGV: the token that must hold it. Returns 1 when it did.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
