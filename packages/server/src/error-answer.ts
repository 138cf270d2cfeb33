import { ERRORS, type FusewireError } from '@fusewire/protocol'

export interface ErrorAnswer {
  readonly status: number
  /** JSON. */
  readonly body: string
}

/** How an error is answered over HTTP where no framework does it: before an upgrade, and to bytes that never became a request. */
export const errorAnswer = ({ code, message, retryable }: FusewireError): ErrorAnswer => ({
  status: ERRORS[code].httpStatus,
  body: JSON.stringify({ error: { code, message, retryable } }),
})
