import type { SessionRecord } from '@fusewire/engine'

/** Longer than any test. */
export const LONG_MS = 600_000

/** A session as a node would keep it. */
export const sessionRecord = (id: string, changes: Partial<SessionRecord> = {}): SessionRecord => ({
  id,
  resumeToken: `${id}.secret`,
  identity: { user: 'ada', capabilities: [], channels: [] },
  client: { transport: 'websocket', remoteAddress: '127.0.0.1' },
  subscriptions: [],
  ...changes,
})

/** With everything that a session may have. */
export const fullRecord = sessionRecord('full', {
  identity: {
    user: 'ada:λ✓',
    info: { name: 'Ada "the first"\n', tags: ['x', null, 1.5, true], deep: { __proto__x: {} } },
    expiresAt: 1_900_000_000_123,
    tokenId: 't1',
    issuedAt: 1_800_000_000_000,
    capabilities: [{ channels: ['chat:**', 'room:*'], allow: ['publish', 'history'] }],
    channels: ['news'],
    needsUser: true,
  },
  client: { transport: 'poll', remoteAddress: '2001:db8::1', name: 'fusewire-js', version: '0.1.0' },
  subscriptions: [
    {
      channel: 'room:1',
      filter: { tag: 'x' },
      wantsPresence: true,
      member: { session: 'full', user: 'ada:λ✓', info: [] },
      grant: { channel: 'room:1', user: 'ada:λ✓', tokenId: 't2', expiresAt: 1_900_000_000_000, info: { role: 'owner' } },
    },
    { channel: 'news', isPending: true },
  ],
})
