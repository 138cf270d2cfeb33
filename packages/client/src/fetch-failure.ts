import { type Failure, lineFailure } from './failure.ts'

/** What OpenSSL says of a certificate, or of its issuer's, that is not among those that Node trusts. */
const NOT_TRUSTED: ReadonlySet<string | undefined> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** Origins that have been warned of. */
const warned = new Set<string>()

/** Of the warning: `--disable-warning` of Node takes it. */
const WARNING = { code: 'FUSEWIRE_CERTIFICATE_NOT_TRUSTED' } as const

const { process } = globalThis as { readonly process?: { emitWarning?(warning: string, options: typeof WARNING): void } }

/**
 * Why Node's `fetch` has failed: it says no more than `fetch failed`, and the reason in the cause, whose message may be empty. A certificate
 * that is not trusted is warned of, once for each origin: the client tries on, and whoever has just started a program sees nothing else of
 * it. Undefined for what is no failure of the line.
 */
export const fetchFailure = (error: unknown, url: string): Failure | undefined => {
  const cause: (Error & { readonly code?: string }) | undefined =
    error instanceof TypeError && error.cause instanceof Error ? error.cause : undefined
  if (!cause) return undefined
  const { code, message } = cause
  if (!NOT_TRUSTED.has(code)) return lineFailure(`the request failed: ${message || code || 'the cause is not known'}`, error)
  const { origin } = new URL(url)
  const failure = lineFailure(
    `the certificate of ${origin} is not trusted (${code}): name it, or that of its issuer, in NODE_EXTRA_CA_CERTS; a development server keeps its own in .fusewire/development-certificate.pem`,
    error,
  )
  if (!warned.has(origin)) process?.emitWarning?.(failure.message, WARNING)
  warned.add(origin)
  return failure
}
