import type { Dispatcher } from 'undici'
import { HookFailure, type HookFailureKind } from './hook-failure.ts'

const failureOf = (status: number): HookFailureKind => {
  if (status === 429) return 'busy'
  if (status === 502 || status === 503 || status === 504) return 'unreachable'
  return status >= 500 ? 'faulty' : 'refused'
}

/** `Retry-After` in milliseconds: seconds, or a date (RFC 9110 section 10.2.3). */
const retryAfterOf = (header: string | string[] | undefined, now: number): number | undefined => {
  if (typeof header !== 'string') return undefined
  const ms = /^\d+$/u.test(header) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined
}

/** The whole body, or a failure when it is larger than allowed. */
const readBody = async (body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<string> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > maxBytes) throw new HookFailure('malformed', `answered more than ${maxBytes} bytes (hookMaxAnswerBytes)`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * Gives the body of a successful response.
 * @throws HookFailure for any other, and for a body that is too large
 */
export const readAnswer = async (
  { statusCode, headers, body }: Dispatcher.ResponseData,
  maxBytes: number,
  now: number,
): Promise<string> => {
  if (statusCode >= 200 && statusCode < 300) return readBody(body, maxBytes)
  // What it says is of no use, but until it is read the connection is of none either.
  await body.dump({ limit: maxBytes })
  const note = statusCode >= 300 && statusCode < 400 ? '; redirects are not followed' : ''
  throw new HookFailure(failureOf(statusCode), `answered ${statusCode}${note}`, {
    retryAfterMs: retryAfterOf(headers['retry-after'], now),
  })
}

/** JSON, if it is that. */
export const parseAnswer = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw new HookFailure('malformed', text === '' ? 'answered nothing, where a decision was due' : 'answered what is no JSON')
  }
}
