import { describe, expect, it } from 'vitest'
import { parseRedisAddress, redisAddressProblem } from './redis-address.ts'

describe('addresses of Redis', () => {
  it.each([
    ['redis://127.0.0.1', { host: '127.0.0.1', port: 6379, tls: false, database: 0 }],
    ['REDISS://a.example:1/3', { host: 'a.example', port: 1, tls: true, database: 3 }],
    ['redis://[::1]:7000', { host: '::1', port: 7000, tls: false, database: 0 }],
    ['redis://:p%40ss@h', { host: 'h', port: 6379, tls: false, database: 0, password: 'p@ss' }],
    ['redis://me:p%3Aq@h/', { host: 'h', port: 6379, tls: false, database: 0, username: 'me', password: 'p:q' }],
  ])('are read: %s', (address, parsed) => {
    expect(redisAddressProblem(address, 'standalone')).toBeUndefined()
    expect(parseRedisAddress(address, 'standalone')).toEqual(parsed)
  })

  it('have the port of sentinels where they are sentinels', () => {
    expect(parseRedisAddress('redis://h', 'sentinel').port).toBe(26_379)
  })

  it.each([
    ['redis:', 'names no host'],
    ['redis://', 'names no host'],
    ['redis://h:99999', 'is not an address'],
    ['redis://h/name', 'not the number of a database'],
    ['redis://h?db=1', 'query'],
    ['redis://secret@h', 'without a password'],
    ['redis://me:s%ecret@h', 'percent-encoded'],
  ])('say what is wrong with %s, and repeat none of it', (address, problem) => {
    const message = redisAddressProblem(address, 'standalone')
    expect(message).toContain(problem)
    expect(message).not.toContain('ecret@h')
  })

  it('name no database of a cluster', () => {
    expect(redisAddressProblem('redis://h/1', 'cluster')).toContain('only number 0')
    expect(redisAddressProblem('redis://h/0', 'cluster')).toBeUndefined()
  })
})
