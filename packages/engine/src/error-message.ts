import type { ErrorMessage, FusewireError } from '@fusewire/protocol'

/** Tells a client what went wrong, and with which of its requests. */
export const errorMessage = (
  { code, message, retryable, retryAfterMs }: FusewireError,
  { id, channel }: { readonly id?: number | undefined; readonly channel?: string | undefined },
): ErrorMessage => ({
  type: 'error',
  ...(id !== undefined && { id }),
  code,
  message,
  retryable,
  ...(channel !== undefined && { channel }),
  ...(retryAfterMs !== undefined && { retryAfterMs }),
})
