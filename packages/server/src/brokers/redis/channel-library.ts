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
    life = string.sub(string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)'), 1, 16)
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
 * A channel's meta, which all functions read first and write last: one string, so that it costs two commands. Times are milliseconds
 * since 1970, by the clock of Redis.
 *
 * - `EPOCH`; `LIFE` that it was last written in; `OFFSET`, the newest
 * - `BYTES` of all drafts that were ever kept in the history
 * - `FIRST`: offset of the oldest publication that counts as kept, 0 when none does; older ones may still be in the stream, which drops
 *   them in blocks
 * - `READ`: offset of the publication that `SINCE` and `BEFORE` are the time of, and the `BYTES` before it: that of `FIRST`, or an older one,
 *   which says less, but spares a look at the stream with each publication
 * - `KEEP`: how long publications are kept; `HISTORY_END`, `META_END`: when the keys of history and meta expire
 *
 * and where there is a document, or a publication waits for one:
 *
 * - `DOCUMENT_END` (0: there is none), and when it was `CHANGED`
 * - `AT_MOST`: its size is not more than that; `BASE_BYTES`: size of its base; `BASE`: offset that the base stands for; `PATCHES` and
 *   `PATCH_BYTES`: number and bytes of the patches behind it
 * - `MEASURING`: 1 while publications of some node wait for one that is measured
 */
export const META_PART: LibraryPart = `
local CHANNEL_TTL_MS = 3600000
local EPOCH, LIFE, OFFSET, BYTES, FIRST, READ, SINCE, BEFORE, KEEP, HISTORY_END, META_END = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
local DOCUMENT_END, CHANGED, AT_MOST, BASE_BYTES, BASE, PATCHES, PATCH_BYTES, MEASURING = 12, 13, 14, 15, 16, 17, 18, 19

local function no_document(m)
  local measuring = m[MEASURING] or 0
  for field = DOCUMENT_END, PATCH_BYTES do m[field] = 0 end
  m[MEASURING] = measuring
end

-- Most channels have no document, and then nothing is written of it.
local function document_end(m)
  return m[DOCUMENT_END] or 0
end

local function no_history(m)
  m[FIRST], m[READ], m[SINCE], m[BEFORE], m[HISTORY_END] = 0, 0, 0, 0, 0
end

local function meta_new(now)
  local current = fusewire_life(now)
  return {fusewire_epoch(), current, 0, 0, 0, 0, 0, 0, 0, 0, 0}
end

local function meta_save(keys, m, now)
  local ttl = CHANNEL_TTL_MS
  if m[FIRST] > 0 and m[KEEP] > ttl then ttl = m[KEEP] end
  if document_end(m) - now > ttl then ttl = m[DOCUMENT_END] - now end
  if m[META_END] >= now + ttl then
    redis.call('SET', keys[1], cmsgpack.pack(m), 'KEEPTTL')
  else
    m[META_END] = now + math.floor(ttl * 1.25)
    redis.call('SET', keys[1], cmsgpack.pack(m), 'PXAT', m[META_END])
  end
end

-- Everything is forgotten; what is published from now on has its offsets in another epoch.
local function meta_restart(keys, m)
  redis.call('UNLINK', keys[2], keys[3])
  m[EPOCH], m[OFFSET], m[BYTES] = fusewire_epoch(), 0, 0
  no_history(m)
  if m[DOCUMENT_END] then no_document(m) end
end

local function tell_epoch(channel, m)
  redis.call('SPUBLISH', channel, 'E' .. m[EPOCH] .. ' ' .. m[OFFSET])
end

local function history_clear(keys, m)
  if m[FIRST] == 0 then return end
  redis.call('UNLINK', keys[2])
  no_history(m)
end

-- Drops the oldest until at most so many are left, which take at most so many bytes, and none was made before oldest_time.
local function history_trim(keys, m, size, bytes, oldest_time)
  local first, newest = m[FIRST], m[OFFSET]
  if newest - first + 1 > size then first = newest - size + 1 end
  local passed = false
  while m[BYTES] - m[BEFORE] > bytes or m[SINCE] < oldest_time do
    if m[READ] == first then
      first = first + 1
      passed = true
    end
    local found = first <= newest and redis.call('XRANGE', keys[2], first, '+', 'COUNT', 1)[1]
    if not found then return history_clear(keys, m) end
    local time, before = string.match(found[2][2], '^(%S+) (%S+) ')
    m[READ], m[SINCE], m[BEFORE] = first, tonumber(time), tonumber(before)
  end
  m[FIRST] = first
  if passed then redis.call('XTRIM', keys[2], 'MINID', '~', first) end
end

-- The channel as it is now, without what has expired. True when that has to be saved.
local function meta_load(keys, channel, now)
  local text = redis.call('GET', keys[1])
  if not text then
    redis.call('UNLINK', keys[2], keys[3])
    return meta_new(now), true
  end
  local m, changed = cmsgpack.unpack(text), false
  local current = fusewire_life(now)
  if m[LIFE] ~= current then
    -- Acknowledged publications may be gone: what is kept stays, but no position of before leads to it.
    m[LIFE] = current
    m[EPOCH] = fusewire_epoch()
    changed = true
  end
  if document_end(m) > 0 and document_end(m) <= now then
    meta_restart(keys, m)
    changed = true
  end
  if changed then tell_epoch(channel, m) end
  if m[FIRST] > 0 and m[SINCE] < now - m[KEEP] then
    history_trim(keys, m, math.huge, math.huge, now - m[KEEP])
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
  if not m[DOCUMENT_END] then return {status, m[EPOCH], m[OFFSET], now} end
  return {status, m[EPOCH], m[OFFSET], now, m[DOCUMENT_END], m[PATCHES], m[PATCH_BYTES], m[BASE_BYTES]}
end

-- Once a publication of a lane has to be measured, those that were sent behind it wait for it, too.
local function waits(keys, m, node, lane)
  if m[MEASURING] == 0 then return false end
  local key = keys[1] .. ':w'
  local waiting = redis.call('HGET', key, node)
  if waiting == lane then return true end
  if waiting then redis.call('HDEL', key, node) end
  if redis.call('EXISTS', key) == 0 then m[MEASURING] = 0 end
  return false
end

local function wait_for_measure(keys, m, now, node, lane)
  local key = keys[1] .. ':w'
  redis.call('HSET', key, node, lane)
  redis.call('PEXPIRE', key, 60000)
  m[MEASURING] = 1
  meta_save(keys, m, now)
  return answer(4, m, now)
end

fusewire_register('publish', {}, function(keys, args)
  local now = fusewire_now()
  local m, changed = meta_load(keys, args[1], now)
  local key = keys[4]
  if args[10] and not m[DOCUMENT_END] then no_document(m) end
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
  if args[8] ~= '' and (args[8] ~= m[EPOCH] or tonumber(args[9]) ~= m[OFFSET]) then
    if changed then meta_save(keys, m, now) end
    return answer(2, m, now)
  end

  local body, bytes = args[2], tonumber(args[3])
  if args[10] then
    local ttl, limit, kind, document_bytes = tonumber(args[10]), tonumber(args[11]), args[12], tonumber(args[13])
    if kind == 'p' and m[AT_MOST] + bytes > limit then return wait_for_measure(keys, m, now, args[14], args[15]) end
    if kind == 'm' and (args[16] ~= m[EPOCH] or tonumber(args[17]) ~= m[OFFSET]) then
      return wait_for_measure(keys, m, now, args[14], args[15])
    end
    if kind ~= 'p' and document_bytes > limit then
      if changed then meta_save(keys, m, now) end
      return answer(3, m, now)
    end
    if kind == 'p' then
      redis.call('RPUSH', keys[3], body)
      m[AT_MOST], m[PATCHES], m[PATCH_BYTES] = m[AT_MOST] + bytes, m[PATCHES] + 1, m[PATCH_BYTES] + bytes
    else
      redis.call('DEL', keys[3])
      redis.call('RPUSH', keys[3], kind == 'm' and args[18] or body)
      m[AT_MOST], m[BASE_BYTES], m[BASE], m[PATCHES], m[PATCH_BYTES] = document_bytes, document_bytes, m[OFFSET] + 1, 0, 0
    end
    m[CHANGED], m[DOCUMENT_END] = now, now + ttl
    redis.call('PEXPIREAT', keys[3], m[DOCUMENT_END] + 60000)
  elseif document_end(m) > 0 then
    redis.call('UNLINK', keys[3])
    no_document(m)
  end

  local offset = m[OFFSET] + 1
  m[OFFSET] = offset
  local size = tonumber(args[4])
  if size > 0 then
    local ttl = tonumber(args[5])
    redis.call('XADD', keys[2], 'MAXLEN', '~', size, offset .. '-0', 'p', now .. ' ' .. m[BYTES] .. ' ' .. body)
    if m[FIRST] == 0 then m[FIRST], m[READ], m[SINCE], m[BEFORE] = offset, offset, now, m[BYTES] end
    m[BYTES], m[KEEP] = m[BYTES] + bytes, ttl
    history_trim(keys, m, size, tonumber(args[6]), now - ttl)
    if m[FIRST] > 0 and m[HISTORY_END] < now + ttl then
      m[HISTORY_END] = now + ttl + math.floor(ttl / 4) + 1000
      redis.call('PEXPIREAT', keys[2], m[HISTORY_END])
    end
  else
    history_clear(keys, m)
  end
  if key then redis.call('SET', key, m[EPOCH] .. ' ' .. offset, 'PX', args[7]) end
  meta_save(keys, m, now)
  redis.call('SPUBLISH', args[1], 'P' .. m[EPOCH] .. ' ' .. offset .. ' ' .. now .. ' ' .. document_end(m) .. '\\n' .. body)
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
  return {m[EPOCH], m[OFFSET], document_end(m) > 0 and m[DOCUMENT_END] - now or -1}
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
    local reaches = from == m[OFFSET] or (from < m[OFFSET] and m[FIRST] > 0 and m[FIRST] <= from + 1)
    if args[2] ~= m[EPOCH] or not reaches then complete = 0 end
    if args[2] ~= m[EPOCH] then from = 0 end
  end
  local limit = tonumber(args[4])
  if limit == 0 or m[FIRST] == 0 or from >= m[OFFSET] then return {m[EPOCH], m[OFFSET], complete, {}} end
  local first = math.max(from + 1, m[FIRST])
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
  return {m[EPOCH], m[OFFSET], complete, entries}
end)

-- Epoch, offset, when the document was changed (-1: there is none), offset of its base, number and bytes of patches; base and patches.
fusewire_register('state', {'allow-oom'}, function(keys, args)
  local now = fusewire_now()
  local m, changed = meta_load(keys, args[1], now)
  if changed then meta_save(keys, m, now) end
  if document_end(m) == 0 then return {m[EPOCH], m[OFFSET], -1} end
  return {m[EPOCH], m[OFFSET], m[CHANGED], m[BASE], m[PATCHES], m[PATCH_BYTES], redis.call('LRANGE', keys[3], 0, -1)}
end)

-- Puts a document in the place of a base and so many patches: epoch, offset of that base, number and bytes of those patches; the
-- document, its bytes, and the offset that it stands for. 0 when there is another base by now.
fusewire_register('compact', {}, function(keys, args)
  local now = fusewire_now()
  local m, changed = meta_load(keys, args[1], now)
  local count, bytes, size = tonumber(args[4]), tonumber(args[5]), tonumber(args[7])
  if document_end(m) == 0 or m[EPOCH] ~= args[2] or m[BASE] ~= tonumber(args[3]) or m[PATCHES] < count then
    if changed then meta_save(keys, m, now) end
    return 0
  end
  -- A document that began as a patch has no base.
  redis.call('LTRIM', keys[3], redis.call('LLEN', keys[3]) - (m[PATCHES] - count), -1)
  redis.call('LPUSH', keys[3], args[6])
  redis.call('PEXPIREAT', keys[3], m[DOCUMENT_END] + 60000)
  m[PATCHES], m[PATCH_BYTES] = m[PATCHES] - count, m[PATCH_BYTES] - bytes
  m[BASE_BYTES], m[AT_MOST], m[BASE] = size, size + m[PATCH_BYTES], tonumber(args[8])
  meta_save(keys, m, now)
  return 1
end)

fusewire_register('clear', {'allow-oom'}, function(keys, args)
  local now = fusewire_now()
  local m = meta_load(keys, args[1], now)
  history_clear(keys, m)
  meta_save(keys, m, now)
  return {m[EPOCH], m[OFFSET]}
end)

-- Answers epoch, offset, and 1 when there was a document.
fusewire_register('remove_document', {'allow-oom'}, function(keys, args)
  local now = fusewire_now()
  local m, changed = meta_load(keys, args[1], now)
  local had = document_end(m) > 0
  if had then
    meta_restart(keys, m)
    tell_epoch(args[1], m)
  end
  if had or changed then meta_save(keys, m, now) end
  return {m[EPOCH], m[OFFSET], had and 1 or 0}
end)

-- Key: the sharded channel.
fusewire_register('announce', {'allow-oom'}, function(keys, args)
  return redis.call('SPUBLISH', keys[1], args[1])
end)
`
