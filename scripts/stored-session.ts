import type { SessionRecord } from '@fusewire/engine'

/** How many channels there are; each session is in five of them. */
export const SESSION_CHANNELS = 1000

/** A session of usual size, as number `n` of those whose cost in a broker is measured. */
export const storedSession = (n: number): SessionRecord => ({
  id: `session-${n}`,
  resumeToken: `session-${n}.abcdefghijklmnopqrstuvwx`,
  identity: { user: `user-${n}`, capabilities: [], channels: [], tokenId: `token-${n}`, expiresAt: 1_900_000_000_000 },
  client: { transport: 'websocket', remoteAddress: '192.0.2.1', name: 'fusewire-js', version: '0.1.0' },
  subscriptions: Array.from({ length: 5 }, (_, index) => ({
    channel: `room:${(n + index) % SESSION_CHANNELS}`,
    wantsPresence: true as const,
    member: { session: `session-${n}`, user: `user-${n}` },
  })),
})
