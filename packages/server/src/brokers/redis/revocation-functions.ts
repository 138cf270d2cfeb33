import type { LibraryPart } from './redis-library.ts'

/**
 * Revocations: the first key is a hash of them, each its end and the latest time of issue (empty for one token) with a space between,
 * the second a sorted set of them by their end, the third a hash of the revision: `life`, another one each time that Redis has lost
 * it, and `n`, which grows by one with each change. A master that takes over may have lost changes, and would count others with their
 * numbers: so nodes are told the life of the server, too.
 */
export const REVOCATION_FUNCTIONS: LibraryPart = `
do
  local function now()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000), time[1] .. '-' .. time[2]
  end

  local function forget_ended(keys, at, limit)
    local ended = redis.call('ZRANGE', keys[2], '-inf', at, 'BYSCORE', 'LIMIT', 0, limit)
    if #ended == 0 then return end
    redis.call('HDEL', keys[1], unpack(ended))
    redis.call('ZREM', keys[2], unpack(ended))
  end

  local function revision(at, life, number)
    return life .. '.' .. fusewire_life(at) .. ' ' .. number
  end

  local function revise(keys, at, life)
    redis.call('HSETNX', keys[3], 'life', life)
    return revision(at, redis.call('HGET', keys[3], 'life'), redis.call('HINCRBY', keys[3], 'n', 1))
  end

  local function later(one, other)
    if one == '' or other == '' then return one .. other end
    return tonumber(one) > tonumber(other) and one or other
  end

  -- Answers with whether something has changed, or 'full'.
  local function merge(keys, at, max, name, ends, before)
    local known = redis.call('HGET', keys[1], name)
    local value = ends .. ' ' .. before
    if known then
      local space = string.find(known, ' ', 1, true)
      value = later(string.sub(known, 1, space - 1), ends) .. ' ' .. later(string.sub(known, space + 1), before)
      if value == known then return false end
    elseif redis.call('HLEN', keys[1]) >= max then
      forget_ended(keys, at, 1000)
      if redis.call('HLEN', keys[1]) >= max then return 'full' end
    end
    redis.call('HSET', keys[1], name, value)
    redis.call('ZADD', keys[2], 'GT', ends, name)
    return true
  end

  -- max, name, end, time of issue, channel, message. Answers with 0 when there is no room. The message goes out behind the revision.
  fusewire_register('revocations_revoke', {}, function(keys, args)
    local at, life = now()
    forget_ended(keys, at, 20)
    if merge(keys, at, tonumber(args[1]), args[2], args[3], args[4]) == 'full' then return 0 end
    redis.call('SPUBLISH', args[5], revise(keys, at, life) .. '\\n' .. args[6])
    return 1
  end)

  -- max, then name, end and time of issue of each. For what Redis has lost; there may be no room for it.
  fusewire_register('revocations_restore', {}, function(keys, args)
    local at, life = now()
    local changed = false
    for index = 2, #args, 3 do
      if merge(keys, at, tonumber(args[1]), args[index], args[index + 1], args[index + 2]) == true then changed = true end
    end
    if changed then revise(keys, at, life) end
    return 0
  end)

  fusewire_register('revocations_revision', {'no-writes'}, function(keys)
    local known = redis.call('HMGET', keys[3], 'life', 'n')
    return known[1] and revision(now(), known[1], known[2]) or ''
  end)

  -- cursor. Answers with the next one, and names and values.
  fusewire_register('revocations_page', {'no-writes'}, function(keys, args)
    return redis.call('HSCAN', keys[1], args[1], 'COUNT', 1000)
  end)
end
`
