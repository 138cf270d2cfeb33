import { ERRORS, type FusewireError } from '@fusewire/protocol'

/** The body of every error answer over HTTP. */
export interface Refusal {
  readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean }
}

export const refusalOf = ({ code, message, retryable }: FusewireError): Refusal => ({ error: { code, message, retryable } })

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
