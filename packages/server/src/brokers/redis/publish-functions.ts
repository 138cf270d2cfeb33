import type { LibraryPart } from './redis-library.ts'

/**
 * Publishing. Keys: meta, history and document.
 *
 * `publish` appends whatever it is given. Arguments: sharded channel; history size, TTL and bytes; the bytes of each draft, then each
 * draft. Answers epoch, offset of the first, and time. Its message has all drafts, a line each.
 *
 * `publish_checked` appends one, if nothing is against that. A fourth key is the idempotency key. Arguments: sharded channel, draft, its
 * bytes; history size, TTL and bytes; TTL of the idempotency key; epoch and offset of `ifPosition`, or nothing; then, with a document, its
 * TTL and limit, `w` for a whole one, `p` for a patch and `m` for one that was measured, bytes, node and lane; when it was measured epoch
 * and offset that it was measured at, and the document that it makes.
 *
 * Answers 0 (published), 1 (duplicate), 2 (conflict), 3 (too large), 4 (to be measured) or 5 (behind one that is to be measured), epoch,
 * offset, time, end of the document, and number and bytes of patches and bytes of their base.
 */
export const PUBLISH_FUNCTIONS: LibraryPart = `
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

local function drop_document(keys, m)
  if document_end(m) == 0 then return end
  redis.call('UNLINK', keys[3])
  no_document(m)
end

local function append(keys, m, now, body, bytes, size)
  local offset = m[OFFSET] + 1
  m[OFFSET] = offset
  if size == 0 then return end
  redis.call('XADD', keys[2], 'MAXLEN', '~', size, offset .. '-0', 'p', now .. ' ' .. m[BYTES] .. ' ' .. body)
  if m[FIRST] == 0 then m[FIRST], m[READ], m[SINCE], m[BEFORE] = offset, offset, now, m[BYTES] end
  m[BYTES] = m[BYTES] + bytes
end

-- Keeps of what was appended no more, and no longer, than is asked for.
local function keep(keys, m, now, size, ttl, bytes)
  if size == 0 then return history_clear(keys, m) end
  m[KEEP] = ttl
  history_trim(keys, m, size, bytes, now - ttl)
  if m[FIRST] > 0 and m[HISTORY_END] < now + ttl then
    m[HISTORY_END] = now + ttl + math.floor(ttl / 4) + 1000
    redis.call('PEXPIREAT', keys[2], m[HISTORY_END])
  end
end

local function tell(channel, m, now, first, bodies)
  redis.call('SPUBLISH', channel, 'P' .. m[EPOCH] .. ' ' .. first .. ' ' .. now .. ' ' .. document_end(m) .. '\\n' .. bodies)
end

fusewire_register('publish', {}, function(keys, args)
  local now = fusewire_now()
  local m = meta_load(keys, args[1], now)
  drop_document(keys, m)
  local first, size, count = m[OFFSET] + 1, tonumber(args[2]), (#args - 4) / 2
  for at = 5, 4 + count do append(keys, m, now, args[at + count], tonumber(args[at]), size) end
  keep(keys, m, now, size, tonumber(args[3]), tonumber(args[4]))
  meta_save(keys, m, now)
  tell(args[1], m, now, first, count == 1 and args[6] or table.concat(args, '\\n', 5 + count))
  return {m[EPOCH], first, now}
end)

fusewire_register('publish_checked', {}, function(keys, args)
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
  else
    drop_document(keys, m)
  end

  local size = tonumber(args[4])
  append(keys, m, now, body, bytes, size)
  keep(keys, m, now, size, tonumber(args[5]), tonumber(args[6]))
  if key then redis.call('SET', key, m[EPOCH] .. ' ' .. m[OFFSET], 'PX', args[7]) end
  meta_save(keys, m, now)
  tell(args[1], m, now, m[OFFSET], body)
  return answer(0, m, now)
end)
`
