import type { LibraryPart } from './redis-library.ts'

/**
 * The life of the server that runs the functions: its replication id, which is another one after each failover and each start. It is
 * kept in the process itself, since a write that was acknowledged before may be gone, and nothing that is replicated could tell.
 */
export const LIFE_FUNCTIONS: LibraryPart = `
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
