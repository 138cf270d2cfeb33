import { isIPv4, isIPv6 } from 'node:net'

/** The eight 16-bit groups of an IPv6 address that `isIPv6` has accepted. */
const groupsOf = (address: string): number[] => {
  const [head = '', tail] = address.split('::')
  const left = readGroups(head)
  const right = tail === undefined ? [] : readGroups(tail)
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right]
}

const readGroups = (text: string): number[] =>
  text === '' ? [] : text.split(':').flatMap((part) => (isIPv4(part) ? ipv4Groups(part) : [Number.parseInt(part, 16)]))

const ipv4Groups = (address: string): number[] => {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number)
  return [a * 256 + b, c * 256 + d]
}

const isMapped = (groups: readonly number[]): boolean => groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff

/** An address in the form in which it is logged and counted: IPv4 where it is mapped into IPv6 (RFC 4291 section 2.5.5.2), without zone. */
export const plainAddress = (address: string): string => {
  // The usual case, and the only one that a listener on an IPv4 address sees.
  if (!address.includes(':')) return address
  const [bare = ''] = address.split('%')
  if (!isIPv6(bare)) return bare
  const groups = groupsOf(bare)
  if (!isMapped(groups)) return bare
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.')
}

/** What counts as one address: an IPv4 address, or a /64 of IPv6, which is what one household or machine is given (RFC 6177). */
export const addressGroup = (address: string): string => {
  const plain = plainAddress(address)
  // To ask `isIPv6` of an IPv4 address costs more than all else here, and this is asked several times of each connection.
  if (!plain.includes(':') || !isIPv6(plain)) return plain
  const prefix = groupsOf(plain)
    .slice(0, 4)
    .map((group) => group.toString(16))
  return `${prefix.join(':')}::/64`
}
