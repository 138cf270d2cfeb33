import type { OutgoingHttpHeaders } from 'node:http'

/**
 * CORS (WHATWG Fetch) for a page whose origin has been found allowed. The origin is echoed even where every origin is allowed, and
 * credentials are not offered: the server knows its clients by tokens and secrets, never by cookies.
 */
export const corsHeaders = (origin: string | undefined): OutgoingHttpHeaders =>
  origin === undefined ? { vary: 'origin' } : { vary: 'origin', 'access-control-allow-origin': origin }

/** The answer to a preflight: what a page may send. Browsers keep it for two hours at most. */
export const preflightHeaders = (methods: string): OutgoingHttpHeaders => ({
  'access-control-allow-methods': methods,
  'access-control-allow-headers': 'authorization, content-type, last-event-id, cache-control, if-none-match',
  'access-control-max-age': '7200',
})
