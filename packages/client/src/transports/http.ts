import { Failure, httpFailure, lineFailure } from '../failure.ts'
import type { TransportRequest } from './transport.ts'

const NDJSON = 'application/x-ndjson'
export const NOT_FUSEWIRE = 'another server answers'

/**
 * Posts newline-delimited messages.
 * @throws {@link Failure}
 */
export const post = async (
  { fetch }: TransportRequest['platform'],
  url: string,
  body: string,
  init: { signal: AbortSignal; keepalive?: boolean },
): Promise<Response> => {
  const response = await fetch(url, { ...init, method: 'POST', body, headers: { 'content-type': NDJSON }, cache: 'no-store' })
  if (!response.ok) throw httpFailure(response.status, await response.text(), response.headers.get('retry-after'))
  return response
}

/** A page of a captive portal or a proxy is answered with 200 as well. */
export const assertFusewire = (response: Response): void => {
  if (!response.headers.get('content-type')?.startsWith(NDJSON)) throw lineFailure(NOT_FUSEWIRE)
}

/** What is no failure yet comes from the platform: the request or its answer did not get through. */
export const asFailure = (cause: unknown): Failure =>
  cause instanceof Failure ? cause : lineFailure('the request failed', cause)
