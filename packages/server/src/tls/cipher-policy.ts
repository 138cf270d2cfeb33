import { constants } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3'

/** Authenticated encryption with forward secrecy, and nothing else: the suites of TLS 1.3, and those of 1.2 that RFC 9113 allows. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

const CLASSIC_GROUPS = 'X25519:P-256:P-384'

/** The hybrid with ML-KEM, which a later quantum computer does not open, wherever this OpenSSL (3.5) has it. */
const preferredGroups = (): string => {
  const groups = `X25519MLKEM768:${CLASSIC_GROUPS}`
  try {
    createSecureContext({ ecdhCurve: groups })
    return groups
  } catch {
    return CLASSIC_GROUPS
  }
}

/** What every TLS connection of the server holds to. */
export const cipherPolicy = (minVersion: TlsVersion): SecureContextOptions => ({
  minVersion,
  ciphers: CIPHERS,
  ecdhCurve: preferredGroups(),
  // HTTP/2 forbids it (RFC 9113 section 9.2.1), nothing here needs it, and each one would cost the server a handshake.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
})
