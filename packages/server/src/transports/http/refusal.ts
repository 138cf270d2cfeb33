import type { OutgoingHttpHeaders } from 'node:http'
import type { FusewireError } from '@fusewire/protocol'
import { errorAnswer } from '../../error-answer.ts'
import type { HttpExchange } from './http-exchange.ts'

/** Answers with the error's status and `{"error": {code, message, retryable}}`. */
export const refuse = (exchange: HttpExchange, error: FusewireError, headers: OutgoingHttpHeaders = {}): void => {
  const { status, body } = errorAnswer(error)
  const { retryAfterMs } = error
  // RFC 9110 section 10.2.3: seconds.
  const retryAfter = retryAfterMs === undefined ? {} : { 'retry-after': `${Math.ceil(retryAfterMs / 1000)}` }
  exchange.answer(status, { 'content-type': 'application/json; charset=utf-8', ...retryAfter, ...headers }, Buffer.from(body))
}
