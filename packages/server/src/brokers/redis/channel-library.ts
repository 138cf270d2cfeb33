import type { LibraryPart } from './redis-library.ts'

/**
 * The life of the server that runs the functions: its replication id, which is another one after each failover and each start. It is
 * kept in the process itself, since a write that was acknowledged before may be gone, and nothing that is replicated could tell.
 */
export const LIFE_PART: LibraryPart = `
local LIFE_MS = 100
local life, life_until, epochs = '', 0, 0

local function fusewire_now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000), time
end

local function fusewire_life(now)
  if now >= life_until or now < life_until - LIFE_MS then
    life = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
    life_until = now + LIFE_MS
  end
  return life
end

local function fusewire_epoch()
  local time = redis.call('TIME')
  epochs = epochs + 1
  return string.format('%s.%x.%x.%x', string.sub(life, 1, 12), time[1], time[2], epochs)
end
`

/**
 * A channel's meta, which all functions read first and write last. Times are milliseconds since 1970, by the clock of Redis.
 *
 * - `o`: newest offset; `c`: bytes of all drafts that were ever kept in the history
 * - `fo`, `ft`, `fc`: offset and time of the oldest publication that is kept, and `c` before it; `fo` is 0 when none is
 * - `ht`: how long publications are kept; `hx`: when the key of the history expires
 * - `dx`, `dt`: when the document ends (0: there is none), and when it was changed
 * - `dm`: its size is not more than that; `db`: size of its base; `dg`: offset that the base stands for; `dn`, `dp`: number and bytes
 *   of the patches behind it
 * - `w`: 1 while publications of some node wait for one that is measured
 */
export const META_PART: LibraryPart = `
local CHANNEL_TTL_MS = 3600000

local function meta_pack(m)
  return cmsgpack.pack({m.e, m.l, m.o, m.c, m.fo, m.ft, m.fc, m.ht, m.hx, m.dx, m.dt, m.dm, m.db, m.dg, m.dn, m.dp, m.w})
end

local function meta_unpack(text)
  local v = cmsgpack.unpack(text)
  return {e = v[1], l = v[2], o = v[3], c = v[4], fo = v[5], ft = v[6], fc = v[7], ht = v[8], hx = v[9], dx = v[10], dt = v[11],
    dm = v[12], db = v[13], dg = v[14], dn = v[15], dp = v[16], w = v[17]}
end

local function no_document(m)
  m.dx, m.dt, m.dm, m.db, m.dg, m.dn, m.dp = 0, 0, 0, 0, 0, 0, 0
end

local function no_history(m)
  m.fo, m.ft, m.fc, m.hx = 0, 0, 0, 0
end

local function meta_new(now)
  local m = {l = fusewire_life(now), o = 0, c = 0, ht = 0, w = 0}
  m.e = fusewire_epoch()
  no_history(m)
  no_document(m)
  return m
end

local function meta_save(keys, m, now)
  local ttl = math.max(CHANNEL_TTL_MS, m.dx - now)
  if m.fo > 0 then ttl = math.max(ttl, m.ht) end
  redis.call('SET', keys[1], meta_pack(m), 'PX', ttl + 60000)
end

-- Everything is forgotten; what is published from now on has its offsets in another epoch.
local function meta_restart(keys, m)
  redis.call('UNLINK', keys[2], keys[3])
  m.o, m.c = 0, 0
  m.e = fusewire_epoch()
  no_history(m)
  no_document(m)
end

local function tell_epoch(channel, m)
  redis.call('SPUBLISH', channel, 'E' .. m.e .. ' ' .. string.format('%.0f', m.o))
end

local function history_clear(keys, m)
  if m.fo == 0 then return end
  redis.call('UNLINK', keys[2])
  no_history(m)
end

-- Drops the oldest until at most so many are left, which take at most so many bytes, and none was made before oldest_time.
local function history_trim(keys, m, size, bytes, oldest_time)
  local first = m.fo
  while m.fo > 0 do
    local length = m.o - m.fo + 1
    if length <= size and m.c - m.fc <= bytes and m.ft >= oldest_time then break end
    local from = length > size and m.o - size + 1 or m.fo + 1
    local found = redis.call('XRANGE', keys[2], string.format('%.0f', from), '+', 'COUNT', 1)[1]
    if not found then return history_clear(keys, m) end
    local time, before = string.match(found[2][2], '^(%d+) (%d+) ')
    m.fo, m.ft, m.fc = from, tonumber(time), tonumber(before)
  end
  if m.fo ~= first then redis.call('XTRIM', keys[2], 'MINID', string.format('%.0f', m.fo)) end
end

-- The channel as it is now, without what has expired. True when that has to be saved.
local function meta_load(keys, channel, now)
  local text = redis.call('GET', keys[1])
  if not text then
    redis.call('UNLINK', keys[2], keys[3])
    return meta_new(now), true
  end
  local m, changed = meta_unpack(text), false
  local current = fusewire_life(now)
  if m.l ~= current then
    -- Acknowledged publications may be gone: what is kept stays, but no position of before leads to it.
    m.l = current
    m.e = fusewire_epoch()
    changed = true
  end
  if m.dx > 0 and m.dx <= now then
    meta_restart(keys, m)
    changed = true
  end
  if changed then tell_epoch(channel, m) end
  if m.fo > 0 and m.ft < now - m.ht then
    history_trim(keys, m, math.huge, math.huge, now - m.ht)
    changed = true
  end
  return m, changed
end
`

/**
 * Publishing. Keys: meta, history, document and, with an idempotency key, that. Arguments: sharded channel, draft, its bytes; history
 * size, TTL and bytes; TTL of the idempotency key; epoch and offset of `ifPosition`, or nothing; then, with a document, its TTL and
 * limit, `w` for a whole one, `p` for a patch and `m` for one that was measured, bytes, node and lane; when it was measured epoch and offset
 * that it was measured at, and the document that it makes.
 *
 * Answers 0 (published), 1 (duplicate), 2 (conflict), 3 (too large), 4 (to be measured) or 5 (behind one that is to be measured), epoch,
 * offset, time, end of the document, and number and bytes of patches and bytes of their base.
 */
export const PUBLISH_PART: LibraryPart = `
local function answer(status, m, now)
  return {status, m.e, m.o, now, m.dx, m.dn, m.dp, m.db}
end

-- Once a publication of a lane has to be measured, those that were sent behind it wait for it, too.
local function waits(keys, m, node, lane)
  if m.w == 0 then return false end
  local key = keys[1] .. ':w'
  local waiting = redis.call('HGET', key, node)
  if waiting == lane then return true end
  if waiting then redis.call('HDEL', key, node) end
  if redis.call('EXISTS', key) == 0 then m.w = 0 end
  return false
end

local function wait_for_measure(keys, m, now, node, lane)
  local key = keys[1] .. ':w'
  redis.call('HSET', key, node, lane)
  redis.call('PEXPIRE', key, 60000)
  m.w = 1
  meta_save(keys, m, now)
  return answer(4, m, now)
end

fusewire_register('publish', {}, function(keys, args)
  local now = fusewire_now()
  local m, changed = meta_load(keys, args[1], now)
  local key = keys[4]
  if args[10] and waits(keys, m, args[14], args[15]) then
    if changed then meta_save(keys, m, now) end
    return answer(5, m, now)
  end
  if key then
    local earlier = redis.call('GET', key)
    if earlier then
      if changed then meta_save(keys, m, now) end
      local epoch, offset = string.match(earlier, '^(%S+) (%d+)$')
      return {1, epoch, tonumber(offset), now}
    end
  end
  if args[8] ~= '' and (args[8] ~= m.e or tonumber(args[9]) ~= m.o) then
    if changed then meta_save(keys, m, now) end
    return answer(2, m, now)
  end

  local body, bytes = args[2], tonumber(args[3])
  if args[10] then
    local ttl, limit, kind, document_bytes = tonumber(args[10]), tonumber(args[11]), args[12], tonumber(args[13])
    if kind == 'p' and m.dm + bytes > limit then return wait_for_measure(keys, m, now, args[14], args[15]) end
    if kind == 'm' and (args[16] ~= m.e or tonumber(args[17]) ~= m.o) then
      return wait_for_measure(keys, m, now, args[14], args[15])
    end
    if kind ~= 'p' and document_bytes > limit then
      if changed then meta_save(keys, m, now) end
      return answer(3, m, now)
    end
    if kind == 'p' then
      redis.call('RPUSH', keys[3], body)
      m.dm, m.dn, m.dp = m.dm + bytes, m.dn + 1, m.dp + bytes
    else
      redis.call('DEL', keys[3])
      redis.call('RPUSH', keys[3], kind == 'm' and args[18] or body)
      m.dm, m.db, m.dg, m.dn, m.dp = document_bytes, document_bytes, m.o + 1, 0, 0
    end
    m.dt, m.dx = now, now + ttl
    redis.call('PEXPIREAT', keys[3], m.dx + 60000)
  elseif m.dx > 0 then
    redis.call('UNLINK', keys[3])
    no_document(m)
  end

  m.o = m.o + 1
  local offset = string.format('%.0f', m.o)
  local size = tonumber(args[4])
  if size > 0 then
    local ttl = tonumber(args[5])
    if m.fo == 0 then m.fo, m.ft, m.fc = m.o, now, m.c end
    redis.call('XADD', keys[2], offset .. '-0', 'p', string.format('%.0f %.0f ', now, m.c) .. body)
    m.c, m.ht = m.c + bytes, ttl
    history_trim(keys, m, size, tonumber(args[6]), now - ttl)
    if m.fo > 0 and m.hx < now + ttl then
      m.hx = now + ttl + math.floor(ttl / 4) + 1000
      redis.call('PEXPIREAT', keys[2], m.hx)
    end
  else
    history_clear(keys, m)
  end
  if key then redis.call('SET', key, m.e .. ' ' .. offset, 'PX', args[7]) end
  meta_save(keys, m, now)
  redis.call('SPUBLISH', args[1], string.format('P%s %s %.0f %.0f\\n', m.e, offset, now, m.dx) .. body)
  return answer(0, m, now)
end)
`

/** Everything else about a channel. Keys: meta, history, document. The first argument is its sharded channel. */
export const CHANNEL_PART: LibraryPart = `
-- Where the channel is, and how long its document lasts (-1: none). Its epoch is kept for another hour.
fusewire_register('touch', {'allow-oom'}, function(keys, args)
  local now = fusewire_now()
  local m = meta_load(keys, args[1], now)
  meta_save(keys, m, now)
  return {m.e, m.o, m.dx > 0 and m.dx - now or -1}
end)

-- Epoch and offset of since, or nothing; how many at most, or -1; 1 for the newest first. Answers epoch, offset, whether nothing is
-- missing, and what is kept.
fusewire_register('history', {'allow-oom'}, function(keys, args)
  local now = fusewire_now()
  local m, changed = meta_load(keys, args[1], now)
  if changed then meta_save(keys, m, now) end
  local complete, from = 1, 0
  if args[2] ~= '' then
    from = tonumber(args[3])
    local reaches = from == m.o or (from < m.o and m.fo > 0 and m.fo <= from + 1)
    if args[2] ~= m.e or not reaches then complete = 0 end
    if args[2] ~= m.e then from = 0 end
  end
  local limit = tonumber(args[4])
  if limit == 0 or m.fo == 0 or from >= m.o then return {m.e, m.o, complete, {}} end
  local first = string.format('%.0f', math.max(from + 1, m.fo))
  local command = args[5] == '1' and {'XREVRANGE', keys[2], '+', first} or {'XRANGE', keys[2], first, '+'}
  if limit > 0 then
    command[5] = 'COUNT'
    command[6] = limit
  end
  local found = redis.call(unpack(command))
  local entries = {}
  for i = 1, #found do
    entries[2 * i - 1] = found[i][1]
    entries[2 * i] = found[i][2][2]
  end
  return {m.e, m.o, complete, entries}
end)

-- Epoch, offset, when the document was changed (-1: there is none), offset of its base, number and bytes of patches; base and patches.
fusewire_register('state', {'allow-oom'}, function(keys, args)
  local now = fusewire_now()
  local m, changed = meta_load(keys, args[1], now)
  if changed then meta_save(keys, m, now) end
  if m.dx == 0 then return {m.e, m.o, -1} end
  return {m.e, m.o, m.dt, m.dg, m.dn, m.dp, redis.call('LRANGE', keys[3], 0, -1)}
end)

-- Puts a document in the place of a base and so many patches: epoch, offset of that base, number and bytes of those patches; the
-- document, its bytes, and the offset that it stands for. 0 when there is another base by now.
fusewire_register('compact', {}, function(keys, args)
  local now = fusewire_now()
  local m, changed = meta_load(keys, args[1], now)
  local count, bytes, size = tonumber(args[4]), tonumber(args[5]), tonumber(args[7])
  if m.dx == 0 or m.e ~= args[2] or m.dg ~= tonumber(args[3]) or m.dn < count then
    if changed then meta_save(keys, m, now) end
    return 0
  end
  -- A document that began as a patch has no base.
  redis.call('LTRIM', keys[3], redis.call('LLEN', keys[3]) - (m.dn - count), -1)
  redis.call('LPUSH', keys[3], args[6])
  redis.call('PEXPIREAT', keys[3], m.dx + 60000)
  m.dn, m.dp = m.dn - count, m.dp - bytes
  m.db, m.dm, m.dg = size, size + m.dp, tonumber(args[8])
  meta_save(keys, m, now)
  return 1
end)

fusewire_register('clear', {'allow-oom'}, function(keys, args)
  local now = fusewire_now()
  local m = meta_load(keys, args[1], now)
  history_clear(keys, m)
  meta_save(keys, m, now)
  return {m.e, m.o}
end)

-- Answers epoch, offset, and 1 when there was a document.
fusewire_register('remove_document', {'allow-oom'}, function(keys, args)
  local now = fusewire_now()
  local m, changed = meta_load(keys, args[1], now)
  local had = m.dx > 0
  if had then
    meta_restart(keys, m)
    tell_epoch(args[1], m)
  end
  if had or changed then meta_save(keys, m, now) end
  return {m.e, m.o, had and 1 or 0}
end)

-- Key: the sharded channel.
fusewire_register('announce', {'allow-oom'}, function(keys, args)
  return redis.call('SPUBLISH', keys[1], args[1])
end)
`
