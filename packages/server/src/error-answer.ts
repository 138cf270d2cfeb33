import { ConflictError } from '@fusewire/engine'
import { ERRORS, type FusewireError, type Position } from '@fusewire/protocol'

/** The body of every error answer over HTTP. */
export interface Refusal {
  readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean }
  /** With `conflict`: where the channel is, and the document there. */
  readonly position?: Position
  readonly document?: unknown
}

export const refusalOf = (error: FusewireError): Refusal => {
  const { code, message, retryable } = error
  if (!(error instanceof ConflictError)) return { error: { code, message, retryable } }
  const { position, document } = error.state
  return { error: { code, message, retryable }, position, ...(document !== undefined && { document }) }
}

export interface ErrorAnswer {
  readonly status: number
  /** JSON. */
  readonly body: string
}

/** How an error is answered over HTTP where no framework does it: before an upgrade, and to bytes that never became a request. */
export const errorAnswer = (error: FusewireError): ErrorAnswer => ({
  status: ERRORS[error.code].httpStatus,
  body: JSON.stringify(refusalOf(error)),
})
