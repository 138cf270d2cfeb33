import { describe, expect, it } from 'vitest'
import { nearestKey } from './nearest-key.ts'
import { optionsSchema } from './options.ts'

const known = Object.keys(optionsSchema.shape)

describe('nearestKey', () => {
  it.each([
    ['pingIntervalMS', 'pingIntervalMs'],
    ['ping_interval_ms', 'pingIntervalMs'],
    ['pingInterval', 'pingIntervalMs'],
    ['pingIntreval', 'pingIntervalMs'],
    ['pingIntervalSeconds', 'pingIntervalMs'],
    ['maxMessageSize', 'maxMessageBytes'],
    ['alowedOrigins', 'allowedOrigins'],
    ['origins', 'allowedOrigins'],
    ['apiKey', 'apiKeys'],
    ['api_key', 'apiKeys'],
    ['prot', 'port'],
    ['certFile', 'tlsCertFile'],
    ['jwksURL', 'jwksUrl'],
    ['rule', 'rules'],
  ])('reads %s as %s', (written, meant) => {
    expect(nearestKey(written, known)).toBe(meant)
  })

  it.each(['database', 'x', '', 'threads'])('has no guess for %j', (written) => {
    expect(nearestKey(written, known)).toBeUndefined()
  })
})
