import { expect, it } from 'vitest'
import { Refusals } from './refusals.ts'

it('counts every refusal, and writes one line for many of a kind', () => {
  const lines: unknown[] = []
  const refusals = new Refusals((event, details) => lines.push([event, details]))
  for (let n = 0; n < 100; n++) refusals.report('maxConnections', `192.0.2.${n}`, 1000 + n)
  refusals.report('handshakesPerSecond', '192.0.2.7', 1100)
  refusals.report('maxConnections', '192.0.2.9', 11_000)
  refusals.count('http2MaxPings')
  expect(refusals.counts).toEqual({ maxConnections: 101, handshakesPerSecond: 1, http2MaxPings: 1 })
  expect(lines).toEqual([
    ['limit_exceeded', { limit: 'maxConnections', remoteAddress: '192.0.2.0', total: 1 }],
    ['limit_exceeded', { limit: 'handshakesPerSecond', remoteAddress: '192.0.2.7', total: 1 }],
    ['limit_exceeded', { limit: 'maxConnections', remoteAddress: '192.0.2.9', total: 101 }],
  ])
})
