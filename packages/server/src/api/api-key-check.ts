import type { IncomingHttpHeaders } from 'node:http'

/** Knows the API keys. `includes` MUST take the same time for right and wrong keys. */
export interface ApiKeyCheck {
  /** True when there are no keys at all. */
  readonly none: boolean
  includes(given: string): boolean
}

/** The key of a request: `Authorization: Bearer <key>` (RFC 6750 section 2.1) or `X-API-Key: <key>`. */
export const givenKey = (headers: IncomingHttpHeaders): string | undefined => {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  const header = headers['x-api-key']
  return bearer ?? (typeof header === 'string' && header !== '' ? header : undefined)
}
