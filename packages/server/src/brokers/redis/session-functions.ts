import type { LibraryPart } from './redis-library.ts'

/**
 * Sessions of one shard. `seen`, the first key, has when the TTL or the lease of each ends; a session is a hash beside it: `o` its
 * node, `r` its record, `l` 1 while it is given out to be ended, `m` 1 once more than one node has had it, `k` until when Redis keeps
 * it at least. A hash with an empty `o` and nothing else is the trace of one that has ended. Redis keeps a hash for days after its TTL,
 * so that the sweep finds it, and not for ever where no node is left to sweep.
 */
export const SESSION_FUNCTIONS: LibraryPart = `
do
  local KEEP_MS = 604800000

  local function now()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
  end

  local function key_of(seen, id)
    return string.sub(seen, 1, -5) .. 's:' .. id
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

  -- node, ttl, then id and record of each. Answers with those that are another node's, or have ended.
  fusewire_register('sessions_put', {}, function(keys, args)
    local seen, node, ends = keys[1], args[1], now() + args[2]
    local lost, pairs = {}, {}
    for index = 3, #args, 2 do
      local id, record = args[index], args[index + 1]
      local key = key_of(seen, id)
      local owner = redis.call('HGET', key, 'o')
      if owner and owner ~= node then
        lost[#lost + 1] = id
      else
        redis.call('HSET', key, 'o', node, 'r', record, 'l', '', 'k', ends + KEEP_MS)
        redis.call('PEXPIREAT', key, ends + KEEP_MS)
        pairs[#pairs + 1] = ends
        pairs[#pairs + 1] = id
      end
    end
    set_ends(seen, pairs, ends)
    return lost
  end)

  -- node, ttl, then ids. Answers with those that are another node's or have ended, and those that are not known.
  fusewire_register('sessions_refresh', {'allow-oom'}, function(keys, args)
    local seen, node, ends = keys[1], args[1], now() + args[2]
    local lost, unknown, pairs = {}, {}, {}
    for index = 3, #args do
      local id = args[index]
      local key = key_of(seen, id)
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
    return {lost, unknown}
  end)

  -- id. Answers with its record.
  fusewire_register('sessions_find', {'no-writes'}, function(keys, args)
    local known = redis.call('HMGET', key_of(keys[1], args[1]), 'r', 'l')
    if known[2] == '1' then return false end
    return known[1]
  end)

  -- node, ttl, id. Answers with its record and the node that had it.
  fusewire_register('sessions_take', {}, function(keys, args)
    local seen, node, ends, id = keys[1], args[1], now() + args[2], args[3]
    local key = key_of(seen, id)
    local known = redis.call('HMGET', key, 'o', 'r', 'l')
    local owner, record = known[1], known[2]
    if not record or known[3] == '1' then return false end
    if owner ~= node then redis.call('HSET', key, 'o', node, 'm', 1) end
    keep(key, ends + KEEP_MS)
    set_ends(seen, {ends, id}, ends)
    return {record, owner}
  end)

  -- node, how long a trace is kept, then ids. Answers with those that were this node's.
  fusewire_register('sessions_remove', {'allow-oom'}, function(keys, args)
    local seen, node, trace = keys[1], args[1], args[2]
    local ended = {}
    for index = 3, #args do
      local id = args[index]
      local key = key_of(seen, id)
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

  -- How many have ended, or their lease.
  fusewire_register('sessions_due', {'no-writes'}, function(keys)
    return redis.call('ZCOUNT', keys[1], '-inf', now())
  end)

  -- node, how many, lease. Answers with the records of those that it is given.
  fusewire_register('sessions_expired', {'allow-oom'}, function(keys, args)
    local seen, node, at = keys[1], args[1], now()
    local records, pairs = {}, {}
    for _, id in ipairs(redis.call('ZRANGE', seen, '-inf', at, 'BYSCORE', 'LIMIT', 0, args[2])) do
      local key = key_of(seen, id)
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
