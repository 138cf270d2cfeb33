import { describe, expect, it } from 'vitest'
import { addressGroup, plainAddress } from './address-group.ts'
import { TrustedProxies, trustedProxyProblem } from './trusted-proxies.ts'

describe('addressGroup', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:FFFF:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::ffff:0:192.0.2.1', '0:0:0:0::/64'],
  ])('%s counts as %s', (address, group) => {
    expect(addressGroup(address)).toBe(group)
  })

  it('leaves IPv6 addresses as they are in logs', () => {
    expect(plainAddress('2001:db8::1')).toBe('2001:db8::1')
    expect(plainAddress('fe80::1%eth0')).toBe('fe80::1')
    expect(plainAddress('::ffff:127.0.0.1')).toBe('127.0.0.1')
  })
})

describe('TrustedProxies', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '192.0.2.7', 'fd00::/8'])

  it.each([
    ['a client that came directly', '198.51.100.1', '203.0.113.9', '198.51.100.1'],
    ['a client behind one proxy', '10.1.2.3', '203.0.113.9', '203.0.113.9'],
    ['a client behind two', '10.1.2.3', '203.0.113.9, 192.0.2.7', '203.0.113.9'],
    ['a client that lies about others before it', '10.1.2.3', '198.51.100.5, 203.0.113.9', '203.0.113.9'],
    ['a proxy that says nothing', '10.1.2.3', undefined, '10.1.2.3'],
    ['a proxy that says nonsense', '10.1.2.3', '203.0.113.9, unknown', '10.1.2.3'],
    ['a proxy that names an empty list', '10.1.2.3', '', '10.1.2.3'],
    ['proxies alone', '10.1.2.3', '10.9.9.9, 192.0.2.7', '10.9.9.9'],
    ['ports that proxies write', '10.1.2.3', '203.0.113.9:4711', '203.0.113.9'],
    ['ports of IPv6', '::ffff:10.1.2.3', '[2001:db8::1]:4711', '2001:db8::1'],
    ['brackets without a port', 'fd00::5', '[2001:db8::1]', '2001:db8::1'],
    ['IPv4 mapped into IPv6', 'fd00::5', '::ffff:203.0.113.9', '203.0.113.9'],
    ['several headers', '10.1.2.3', ['198.51.100.5', '203.0.113.9, 10.0.0.1'], '203.0.113.9'],
  ])('finds %s', (_, socket, header, client) => {
    expect(proxies.clientAddress(socket, header)).toBe(client)
  })

  it('believes nobody when there are none', () => {
    const none = new TrustedProxies([])
    expect(none.clientAddress('::ffff:10.1.2.3', '203.0.113.9')).toBe('10.1.2.3')
    expect(none.clientAddress(undefined, undefined)).toBe('')
  })

  it('does not count the proxies themselves', () => {
    expect(proxies.limitedGroup('::ffff:10.1.2.3')).toBeUndefined()
    expect(proxies.limitedGroup('')).toBeUndefined()
    expect(proxies.limitedGroup('203.0.113.9')).toBe('203.0.113.9')
    expect(proxies.limitedGroup('2001:db8::1')).toBe('2001:db8:0:0::/64')
  })

  it.each(['10.0.0.7', '10.0.0.0/8', '::1', 'fd00::/8', '0.0.0.0/0'])('takes %s', (entry) => {
    expect(trustedProxyProblem(entry)).toBeUndefined()
  })

  it.each(['localhost', '10.0.0', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0.0/', 'fd00::/129', '10.0.0.0/-1', ''])(
    'says what is wrong with %j',
    (entry) => {
      expect(trustedProxyProblem(entry)).toContain('is no address; write 10.0.0.7')
    },
  )
})
