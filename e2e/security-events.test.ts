import { FusewireClient } from '@fusewire/client'
import { eventually } from '@fusewire/testkit'
import { describe, expect } from 'vitest'
import type { FusewireProcess } from './fusewire-process.ts'
import { serverTest } from './server-test.ts'
import { API_KEY, JWT_SECRET } from './server-variants.ts'

const LINES_PER_MINUTE = 3

const it = serverTest({
  jwtSecret: JWT_SECRET,
  apiKeys: [API_KEY],
  securityLogLinesPerMinute: LINES_PER_MINUTE,
})

const linesOf = ({ log }: FusewireProcess, event: string): Record<string, unknown>[] =>
  log
    .split('\n')
    .filter((line) => line.includes(`"${event}"`))
    .map((line) => JSON.parse(line))

describe('security events', () => {
  it('[L18] [L19] are in the log, without the token, and all of them in the metrics', async ({ server, api }) => {
    const token = 'forged-token-that-nobody-may-read-in-a-log'
    const errors: unknown[] = []
    for (let n = 0; n < 5; n++) {
      const client = new FusewireClient(server.http, { token })
      client.on('error', ({ kind, code }) => errors.push([kind, code]))
      await expect(client.connect()).rejects.toMatchObject({ code: 'token_invalid', kind: 'authentication' })
      expect(client.connection.status).toBe('closed')
    }
    // [L13]: the application hears of it as well.
    expect(errors).toEqual(Array(5).fill(['authentication', 'token_invalid']))
    await fetch(`${server.http}/v1/info`, { headers: { authorization: 'Bearer wrong-key-that-nobody-may-read' } })
    await fetch(`${server.http}/fusewire/v1/sse`, { headers: { origin: 'https://evil.example' } })
    await eventually(() => {
      expect(linesOf(server, 'token_refused')).toHaveLength(LINES_PER_MINUTE)
      expect(linesOf(server, 'api_key_refused')).toHaveLength(1)
      expect(linesOf(server, 'origin_refused')).toHaveLength(1)
    })
    expect(linesOf(server, 'token_refused')[0]).toMatchObject({
      // warn, as pino writes it
      level: 40,
      code: 'token_invalid',
      request: 'connect',
      transport: 'websocket',
      remoteAddress: expect.stringContaining('127.0.0.1'),
    })
    expect(server.log).not.toMatch(/nobody-may-read/u)
    for (const [code, count] of Object.entries({ token_invalid: 5, api_key_invalid: 1, origin_not_allowed: 1 }))
      expect(await api.metric('fusewire_security_events_total', { code })).toBe(count)
  })
})
