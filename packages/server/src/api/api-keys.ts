import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

const digest = (key: string): Buffer => createHash('sha256').update(key).digest()

/** The keys that open the API, kept as digests of equal length, so that a comparison takes the same time however much of a key is right. */
export class ApiKeys {
  readonly #digests: readonly Buffer[]

  constructor(keys: readonly string[]) {
    this.#digests = keys.filter((key) => key !== '').map(digest)
  }

  get none(): boolean {
    return this.#digests.length === 0
  }

  includes(given: string): boolean {
    const wanted = digest(given)
    let found = false
    // Every key is compared, also after a match: the time tells nothing about which one it was.
    for (const known of this.#digests) found = timingSafeEqual(known, wanted) || found
    return found
  }
}

/** The key of a request: `Authorization: Bearer <key>` (RFC 6750 section 2.1) or `X-API-Key: <key>`. */
export const givenKey = (headers: IncomingHttpHeaders): string | undefined => {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  const header = headers['x-api-key']
  return bearer ?? (typeof header === 'string' && header !== '' ? header : undefined)
}
