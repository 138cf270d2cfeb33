import type { LibraryPart } from './redis-library.ts'

/**
 * Who is in one channel: the first key is a hash of members by session, each behind a line with its user (JSON, empty without one), the
 * second a sorted set of sessions by when their TTL ends, the third a hash of how many sessions each user has. Those whose TTL has
 * ended are forgotten bit by bit where somebody comes or goes, and all of them before anybody reads.
 */
export const PRESENCE_FUNCTIONS: LibraryPart = `
do
  local SOME = 20

  local function now()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
  end

  local function user_of(value)
    return string.sub(value, 1, string.find(value, '\\n', 1, true) - 1)
  end

  local function count(users, user, by)
    if redis.call('HINCRBY', users, user, by) <= 0 then redis.call('HDEL', users, user) end
  end

  local function forget(keys, session)
    local value = redis.call('HGET', keys[1], session)
    redis.call('ZREM', keys[2], session)
    if not value then return false end
    redis.call('HDEL', keys[1], session)
    count(keys[3], user_of(value), -1)
    return true
  end

  local function forget_ended(keys, at, limit)
    for _, session in ipairs(redis.call('ZRANGE', keys[2], '-inf', at, 'BYSCORE', 'LIMIT', 0, limit)) do
      forget(keys, session)
    end
  end

  local function put(keys, session, user, json)
    local before = redis.call('HGET', keys[1], session)
    redis.call('HSET', keys[1], session, user .. '\\n' .. json)
    local user_before = before and user_of(before)
    if user_before ~= user then
      if before then count(keys[3], user_before, -1) end
      count(keys[3], user, 1)
    end
    return before
  end

  local function keep(keys, ttl)
    for index = 1, 3 do redis.call('PEXPIRE', keys[index], ttl * 2) end
  end

  -- ttl, session, user, member. Answers with 1 when the session was not there.
  fusewire_register('presence_add', {}, function(keys, args)
    local at = now()
    forget_ended(keys, at, SOME)
    local ends = redis.call('ZSCORE', keys[2], args[2])
    if ends and tonumber(ends) <= at then forget(keys, args[2]) end
    redis.call('ZADD', keys[2], at + args[1], args[2])
    local before = put(keys, args[2], args[3], args[4])
    keep(keys, args[1])
    return before and 0 or 1
  end)

  -- session. Answers with 1 when it was there.
  fusewire_register('presence_remove', {'allow-oom'}, function(keys, args)
    local was_there = forget(keys, args[1])
    forget_ended(keys, now(), SOME)
    return was_there and 1 or 0
  end)

  -- ttl, then session, user and member of each.
  fusewire_register('presence_refresh', {}, function(keys, args)
    local ends, pairs = now() + args[1], {}
    for index = 2, #args, 3 do
      pairs[#pairs + 1] = ends
      pairs[#pairs + 1] = args[index]
    end
    -- Mostly all of them are there.
    if redis.call('ZADD', keys[2], unpack(pairs)) > 0 then
      for index = 2, #args, 3 do
        if redis.call('HEXISTS', keys[1], args[index]) == 0 then put(keys, args[index], args[index + 1], args[index + 2]) end
      end
    end
    keep(keys, args[1])
    return 0
  end)

  -- Answers with all values.
  fusewire_register('presence_list', {'allow-oom'}, function(keys)
    forget_ended(keys, now(), -1)
    return redis.call('HVALS', keys[1])
  end)

  -- Answers with the number of sessions, of users, and of sessions without a user.
  fusewire_register('presence_count', {'allow-oom'}, function(keys)
    forget_ended(keys, now(), -1)
    local unnamed = redis.call('HGET', keys[3], '')
    local users = redis.call('HLEN', keys[3])
    return {redis.call('HLEN', keys[1]), unnamed and users - 1 or users, tonumber(unnamed or 0)}
  end)
end
`
