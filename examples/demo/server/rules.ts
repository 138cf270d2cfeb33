import { CHANNELS } from '../shared/channels.ts'
import { LOADS_KEPT } from '../shared/device-reading.ts'
import { TICKS_KEPT } from '../shared/tick.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/**
 * Who may do what in which channels, and how much of their past is kept. The first rule that matches a channel decides; where
 * a rule says nothing about publishing, only the server publishes.
 */
export const RULES = {
  // What passes in a second is not worth keeping.
  [CHANNELS.typing]: { publish: 'user', historySize: 0 },
  [CHANNELS.carets]: { publish: 'user', historySize: 0 },

  'chat:*': { publish: 'user', presence: true, historySize: 200, historyTtlMs: DAY_MS },
  'market:*': { historySize: TICKS_KEPT, historyTtlMs: 10 * MINUTE_MS },
  [CHANNELS.everyone]: { historySize: 50, historyTtlMs: DAY_MS },
  'notifications:user:*': { subscribe: 'owner', history: 'owner', historySize: 50, historyTtlMs: DAY_MS },
  // These keep a document: who comes late gets it, and who comes back what was missed of its changes, or it.
  [CHANNELS.document]: { state: true, presence: true, historySize: 1000, historyTtlMs: DAY_MS },
  [CHANNELS.device]: { state: true, historySize: 60, historyTtlMs: MINUTE_MS },
  [CHANNELS.deviceLoad]: { historySize: LOADS_KEPT, historyTtlMs: 10 * MINUTE_MS },
} as const
