import { ERRORS, FusewireError } from '@fusewire/protocol'

/** What Fastify itself refuses, in our words; by its error codes. */
const FRAMEWORK_REFUSALS: Readonly<Record<string, () => FusewireError>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () => new FusewireError('message_too_large', 'the request body is too large'),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new FusewireError('malformed_message', 'the body must be JSON, sent with Content-Type: application/json'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new FusewireError('malformed_message', 'the body is not as long as Content-Length says'),
  FST_ERR_BAD_URL: () => new FusewireError('invalid_field', 'the path is not valid percent-encoding'),
  FST_ERR_MAX_PARAM_LENGTH: () => new FusewireError('invalid_field', 'a part of the path is too long'),
}

/**
 * Turns whatever was thrown into what the caller may know. A failure of ours keeps its `cause` for the log and shows nothing of it.
 */
export const asRefusable = (thrown: unknown): FusewireError => {
  if (thrown instanceof FusewireError)
    return thrown.code === 'internal_error' ? new FusewireError('internal_error', undefined, { cause: thrown }) : thrown
  const code = (thrown as { code?: unknown } | null)?.code
  const known = typeof code === 'string' && Object.hasOwn(FRAMEWORK_REFUSALS, code) ? FRAMEWORK_REFUSALS[code] : undefined
  return known?.() ?? new FusewireError('internal_error', undefined, { cause: thrown })
}

/** Headers that belong to a refusal, by RFC 9110 sections 11.6.1 and 10.2.3. */
export const refusalHeaders = ({ code, retryAfterMs }: FusewireError): Record<string, string> => {
  const status = ERRORS[code].httpStatus
  if (retryAfterMs !== undefined) return { 'retry-after': `${Math.ceil(retryAfterMs / 1000)}` }
  if (status === 401) return { 'www-authenticate': 'Bearer realm="fusewire"' }
  if (status === 503) return { 'retry-after': '1' }
  return {}
}
