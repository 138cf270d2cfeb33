import type { ErrorMessage, FusewireError } from '@fusewire/protocol'
import { ConflictError } from './conflict-error.ts'

/** Tells a client what went wrong, and with which of its requests. */
export const errorMessage = (
  error: FusewireError,
  { id, channel }: { readonly id?: number | undefined; readonly channel?: string | undefined },
): ErrorMessage => ({
  type: 'error',
  ...(id !== undefined && { id }),
  code: error.code,
  message: error.message,
  retryable: error.retryable,
  ...(channel !== undefined && { channel }),
  ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
  ...(error instanceof ConflictError && whereItIs(error)),
})

const whereItIs = ({ state: { position, document } }: ConflictError): Pick<ErrorMessage, 'position' | 'document'> => ({
  position,
  ...(document !== undefined && { document }),
})
