import type { OutgoingHttpHeaders } from 'node:http'
import { ERRORS, type FusewireError } from '@fusewire/protocol'
import type { HttpExchange } from './http-exchange.ts'

/** Answers with the error's status and `{"error": {code, message, retryable}}`. */
export const refuse = (exchange: HttpExchange, error: FusewireError, headers: OutgoingHttpHeaders = {}): void => {
  const { code, message, retryable } = error
  const body = Buffer.from(JSON.stringify({ error: { code, message, retryable } }))
  exchange.answer(ERRORS[code].httpStatus, { 'content-type': 'application/json; charset=utf-8', ...headers }, body)
}
