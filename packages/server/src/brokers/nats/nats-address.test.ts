import { describe, expect, it } from 'vitest'
import { ConfigurationError } from '../../config/configuration-error.ts'
import { addressName, natsAddressProblem, parseNatsAddress, parseNatsAddresses } from './nats-address.ts'

describe('an address of NATS', () => {
  it.each([
    ['nats://example.org', { host: 'example.org', port: 4222, tls: false }],
    ['tls://[::1]:4443/', { host: '::1', port: 4443, tls: true }],
    ['nats://ada:p%40ss@10.0.0.1:4222', { host: '10.0.0.1', port: 4222, tls: false, user: 'ada', password: 'p@ss' }],
    ['nats://s3cr%25t@h', { host: 'h', port: 4222, tls: false, token: 's3cr%t' }],
  ])('is read: %s', (address, expected) => {
    expect(natsAddressProblem(address)).toBeUndefined()
    expect(parseNatsAddress(address)).toEqual(expected)
  })

  it.each([
    ['http://h', 'is not an address of NATS'],
    ['nats://', 'names no host'],
    ['nats://h:99999', 'is not an address'],
    ['nats://h/path', 'has a path'],
    ['nats://h?x=1', 'has a path, a query'],
    ['nats://:secret@h', 'has a password without a user'],
    ['nats://%zz:secret@h', 'percent-encoded'],
  ])('is refused: %s', (address, expected) => {
    const problem = natsAddressProblem(address)
    expect(problem).toContain(expected)
    expect(problem).not.toContain('secret')
  })

  it('is named by its option when it is wrong', () => {
    const parsing = (): unknown => parseNatsAddresses(['nats://h', 'redis://user:secret@h'])
    expect(parsing).toThrow(ConfigurationError)
    expect(parsing).toThrow(/^broker\[1\]: (?!.*secret)/u)
  })

  it('has a name without secrets', () => {
    expect(parseNatsAddresses(['nats://user:secret@[::1]:1', 'nats://token@h']).map(addressName)).toEqual(['[::1]:1', 'h:4222'])
  })
})
