import type { LibraryPart } from './redis-library.ts'

/** Everything else about a channel. Keys: meta, history, document. The first argument is its sharded channel. */
export const CHANNEL_FUNCTIONS: LibraryPart = `
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
  -- A Redis that evicts keys may have dropped the stream.
  local oldest = found[args[5] == '1' and #found or 1]
  if args[2] ~= '' and limit < 0 and (not oldest or oldest[1] ~= first .. '-0') then complete = 0 end
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
