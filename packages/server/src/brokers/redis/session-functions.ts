import type { LibraryPart } from './redis-library.ts'

/**
 * Sessions of one shard. The first key, `seen`, has when the TTL or the lease of each ends; a session is a hash, whose keys follow: `o` its
 * node, `r` its record, `l` 1 while it is given out to be ended, `m` 1 once more than one node has had it, `k` until when Redis keeps
 * it at least. A hash with an empty `o` and nothing else is the trace of one that has ended. Redis keeps a hash for days after its TTL,
 * so that the sweep finds it, and not for ever where no node is left to sweep. The key `alarm` of the shard expires ahead of the first
 * end, which Redis tells the nodes.
 */
export const SESSION_FUNCTIONS: LibraryPart = `
do
  local KEEP_MS = 604800000

  local function now()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
  end

  -- Keys are of the form <shard>:s:<id>, and the set is <shard>:seen.
  local function id_of(seen, key)
    return string.sub(key, #seen - 1)
  end

  local function keep(key, at)
    redis.call('PEXPIREAT', key, at)
    redis.call('HSET', key, 'k', at)
  end

  -- The ends of several sessions in one command, as pairs of end and id; the set lasts as long as whatever is in it.
  local function set_ends(seen, pairs, last)
    if #pairs == 0 then return end
    redis.call('ZADD', seen, unpack(pairs))
    local at = last + KEEP_MS
    if redis.call('PEXPIRETIME', seen) < at then redis.call('PEXPIREAT', seen, at + KEEP_MS) end
  end

  local function next_end(seen, at)
    local from = string.format('(%.0f', at)
    return tonumber(redis.call('ZRANGE', seen, from, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')[2])
  end

  -- One that has rung unnoticed is noticed by this look at it. It is no key of the call: one that is missing while the slot moves would
  -- have the call refused; now there is no alarm until the slot has moved.
  local function look_at_alarm(seen)
    local alarm = string.sub(seen, 1, -5) .. 'alarm'
    return alarm, redis.pcall('PEXPIRETIME', alarm)
  end

  -- For an end of which it would ring too late, or not at all.
  local function set_alarm(seen, at, lead, ends)
    local alarm, rings = look_at_alarm(seen)
    if type(rings) ~= 'number' or (rings >= 0 and rings <= ends - lead) then return end
    local first = next_end(seen, at)
    if first and first - lead > at then redis.pcall('SET', alarm, '', 'PXAT', first - lead) end
  end

  -- node, ttl, lead of the alarm, then the record of each. Answers with those that are another node's, or have ended.
  fusewire_register('sessions_put', {}, function(keys, args)
    local seen, node, at = keys[1], args[1], now()
    local ends = at + args[2]
    local lost, pairs = {}, {}
    for index = 2, #keys do
      local key = keys[index]
      local owner = redis.call('HGET', key, 'o')
      if owner and owner ~= node then
        lost[#lost + 1] = id_of(seen, key)
      else
        redis.call('HSET', key, 'o', node, 'r', args[index + 2], 'l', '', 'k', ends + KEEP_MS)
        redis.call('PEXPIREAT', key, ends + KEEP_MS)
        pairs[#pairs + 1] = ends
        pairs[#pairs + 1] = id_of(seen, key)
      end
    end
    set_ends(seen, pairs, ends)
    set_alarm(seen, at, args[3], ends)
    return lost
  end)

  -- node, ttl, lead of the alarm. Answers with those that are another node's or have ended, and those that are not known.
  fusewire_register('sessions_refresh', {'allow-oom'}, function(keys, args)
    local seen, node, at = keys[1], args[1], now()
    local ends = at + args[2]
    local lost, unknown, pairs = {}, {}, {}
    for index = 2, #keys do
      local key = keys[index]
      local id = id_of(seen, key)
      local known = redis.call('HMGET', key, 'o', 'l', 'k')
      local owner = known[1]
      if owner == node then
        if known[2] == '1' then redis.call('HSET', key, 'l', '') end
        if known[3] - ends < KEEP_MS / 2 then keep(key, ends + KEEP_MS) end
        pairs[#pairs + 1] = ends
        pairs[#pairs + 1] = id
      elseif owner then
        lost[#lost + 1] = id
      else
        unknown[#unknown + 1] = id
      end
    end
    set_ends(seen, pairs, ends)
    set_alarm(seen, at, args[3], ends)
    return {lost, unknown}
  end)

  -- Answers with the record of the second key.
  fusewire_register('sessions_find', {'no-writes'}, function(keys, args)
    local known = redis.call('HMGET', keys[2], 'r', 'l')
    if known[2] == '1' then return false end
    return known[1]
  end)

  -- node, ttl. Answers with the record of the second key, and the node that had it.
  fusewire_register('sessions_take', {}, function(keys, args)
    local seen, key, node, ends = keys[1], keys[2], args[1], now() + args[2]
    local known = redis.call('HMGET', key, 'o', 'r', 'l')
    local owner, record = known[1], known[2]
    if not record or known[3] == '1' then return false end
    if owner ~= node then redis.call('HSET', key, 'o', node, 'm', 1) end
    keep(key, ends + KEEP_MS)
    set_ends(seen, {ends, id_of(seen, key)}, ends)
    return {record, owner}
  end)

  -- node, how long a trace is kept. Answers with those that were this node's.
  fusewire_register('sessions_remove', {'allow-oom'}, function(keys, args)
    local seen, node, trace = keys[1], args[1], args[2]
    local ended = {}
    for index = 2, #keys do
      local key = keys[index]
      local id = id_of(seen, key)
      local known = redis.call('HMGET', key, 'o', 'm')
      if known[1] == node then
        redis.call('DEL', key)
        redis.call('ZREM', seen, id)
        if known[2] then
          redis.call('HSET', key, 'o', '')
          redis.call('PEXPIRE', key, trace)
        end
        ended[#ended + 1] = id
      end
    end
    return ended
  end)

  -- How many have ended, or their lease. The alarm of a shard of which nothing else is asked is noticed by this. It writes nothing, and
  -- yet is not 'no-writes': Redis would answer it while it refuses to refresh, for want of a replica or of its disk, and whoever sweeps is
  -- to know that.
  fusewire_register('sessions_due', {'allow-oom'}, function(keys)
    look_at_alarm(keys[1])
    return redis.call('ZCOUNT', keys[1], '-inf', now())
  end)

  -- lead of the alarm. Answers with how many have ended, and in how many milliseconds the next one will: -1 where the alarm rings before.
  fusewire_register('sessions_alarm', {'allow-oom'}, function(keys, args)
    local seen, at, lead = keys[1], now(), tonumber(args[1])
    local ends = next_end(seen, at)
    local isNear = ends and ends - at <= lead
    if ends and not isNear then set_alarm(seen, at, lead, ends) end
    return {redis.call('ZCOUNT', seen, '-inf', at), isNear and ends - at or -1}
  end)

  -- node, how many, lease. Answers with the records of those that it is given.
  fusewire_register('sessions_expired', {'allow-oom'}, function(keys, args)
    local seen, node, at = keys[1], args[1], now()
    local records, pairs = {}, {}
    for _, id in ipairs(redis.call('ZRANGE', seen, '-inf', at, 'BYSCORE', 'LIMIT', 0, args[2])) do
      local key = string.sub(seen, 1, -5) .. 's:' .. id
      local known = redis.call('HMGET', key, 'o', 'r')
      if known[2] then
        if known[1] == node then
          redis.call('HSET', key, 'l', 1)
        else
          redis.call('HSET', key, 'o', node, 'l', 1, 'm', 1)
        end
        records[#records + 1] = known[2]
        pairs[#pairs + 1] = at + args[3]
        pairs[#pairs + 1] = id
      else
        redis.call('ZREM', seen, id)
      end
    end
    set_ends(seen, pairs, at + args[3])
    return records
  end)
end
`
