import { BlockList, isIP, isIPv6 } from 'node:net'
import { addressGroup, plainAddress } from './address-group.ts'

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4')

interface Range {
  readonly address: string
  readonly prefix: number | undefined
}

const readRange = (entry: string): Range | undefined => {
  const [address = '', length, ...rest] = entry.split('/')
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0
  if (bits === 0 || rest.length > 0) return undefined
  if (length === undefined) return { address, prefix: undefined }
  return /^\d{1,3}$/u.test(length) && Number(length) <= bits ? { address, prefix: Number(length) } : undefined
}

/** What is wrong with an entry of `trustedProxies`; undefined when nothing is. */
export const trustedProxyProblem = (entry: string): string | undefined =>
  readRange(entry) ? undefined : `${JSON.stringify(entry)} is no address; write 10.0.0.7, 10.0.0.0/8 or fd00::/8`

/** `192.0.2.1:4711` and `[2001:db8::1]:4711`, as some proxies write it, without the port. */
const withoutPort = (text: string): string => /^\[(.*)\](?::\d+)?$|^([\d.]+):\d+$/u.exec(text)?.slice(1).find(Boolean) ?? text

/**
 * Whose word is taken for where a request comes from. Every proxy appends to `X-Forwarded-For` the address that it was connected
 * from, and a client can send whatever it likes: only what trusted proxies have appended is believed, read from the right.
 */
export class TrustedProxies {
  readonly #ranges = new BlockList()
  readonly #isEmpty: boolean

  /** The entries have no {@link trustedProxyProblem}. */
  constructor(entries: readonly string[]) {
    this.#isEmpty = entries.length === 0
    for (const range of entries.map(readRange)) {
      if (!range) continue
      const { address, prefix } = range
      if (prefix === undefined) this.#ranges.addAddress(address, familyOf(address))
      else this.#ranges.addSubnet(address, prefix, familyOf(address))
    }
  }

  has(address: string): boolean {
    return !this.#isEmpty && isIP(address) !== 0 && this.#ranges.check(address, familyOf(address))
  }

  /** Where a request comes from: the nearest address that is none of these. */
  clientAddress(socketAddress: string | undefined, forwardedFor: string | readonly string[] | undefined): string {
    let address = plainAddress(socketAddress ?? '')
    if (forwardedFor === undefined || !this.has(address)) return address
    const hops = [forwardedFor].flat().join(',').split(',')
    for (let hop = hops.pop(); hop !== undefined; hop = hops.pop()) {
      const next = plainAddress(withoutPort(hop.trim()))
      // What is no address was not written by a proxy that is worth its trust.
      if (isIP(next) === 0) return address
      address = next
      if (!this.has(address)) return address
    }
    return address
  }

  /** What {@link addressGroup} says, but nothing for the proxies themselves: whoever is behind them shares their address. */
  limitedGroup(address: string): string | undefined {
    const plain = plainAddress(address)
    return plain === '' || this.has(plain) ? undefined : addressGroup(plain)
  }
}
