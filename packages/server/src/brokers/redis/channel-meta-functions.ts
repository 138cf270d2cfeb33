import type { LibraryPart } from './redis-library.ts'

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
export const CHANNEL_META_FUNCTIONS: LibraryPart = `
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
