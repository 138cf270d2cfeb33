import type { Log } from '@fusewire/engine'

/** An `Origin` is the page's to choose, and so is its length. */
const MAX_ORIGIN_LENGTH = 255

interface OriginRefusal {
  readonly origin: string | undefined
  readonly transport: string | undefined
  readonly remoteAddress: string | undefined
}

/** A page of another origin has asked for something: a security event. */
export const reportOrigin = ({ log }: { readonly log: Log }, { origin, transport, remoteAddress }: OriginRefusal): void =>
  log('origin_refused', {
    code: 'origin_not_allowed',
    origin: origin?.slice(0, MAX_ORIGIN_LENGTH),
    transport,
    remoteAddress,
  })
