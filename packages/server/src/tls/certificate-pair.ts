import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { ConfigurationError } from '../config/configuration-error.ts'
import { readOptionFile } from '../config/read-option-file.ts'

/** A certificate chain and its key, known to fit each other and to be valid now. */
export interface CertificatePair {
  /** PEM, the server's own certificate first. */
  readonly cert: string
  /** PEM. */
  readonly key: string
  readonly certificate: X509Certificate
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/gu
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/u

const refuse = (option: string, message: string, cause?: unknown) => new ConfigurationError([{ option, message }], { cause })

/** The certificates of a PEM text, in order. */
export const parseCertificates = (pem: string, option: string, source: string): X509Certificate[] => {
  const blocks = pem.match(CERTIFICATE) ?? []
  if (blocks.length === 0) {
    if (PRIVATE_KEY.test(pem))
      throw refuse(option, `${source} holds a private key and no certificate; are the two files swapped?`)
    throw refuse(
      option,
      `${source} holds no PEM certificate; DER is converted with: openssl x509 -inform der -in ${source} -out cert.pem`,
    )
  }
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block)
    } catch (cause) {
      throw refuse(option, `certificate ${index + 1} in ${source} is damaged; copy the file again`, cause)
    }
  })
}

const parseKey = (pem: string, source: string): KeyObject => {
  const option = 'tlsKeyFile'
  if (!PRIVATE_KEY.test(pem)) {
    if (pem.includes('-----BEGIN CERTIFICATE-----'))
      throw refuse(option, `${source} holds a certificate and no key; are the two files swapped?`)
    throw refuse(option, `${source} holds no PEM private key, which begins with "-----BEGIN PRIVATE KEY-----"`)
  }
  if (pem.includes('ENCRYPTED'))
    throw refuse(option, `the key in ${source} is encrypted; decrypt it with: openssl pkey -in ${source} -out decrypted.key`)
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    throw refuse(option, `the key in ${source} is damaged; copy the file again`, cause)
  }
}

const day = (date: string): string => new Date(date).toISOString()

/**
 * Checks that a certificate can be served, at `now` in milliseconds since the epoch.
 * @throws {@link ConfigurationError}
 */
export const checkPair = (
  cert: string,
  key: string,
  now: number,
  sources = { cert: 'the certificate', key: 'the key' },
): CertificatePair => {
  const [certificate, ...chain] = parseCertificates(cert, 'tlsCertFile', sources.cert)
  if (certificate === undefined) throw refuse('tlsCertFile', `${sources.cert} is empty`)
  const privateKey = parseKey(key, sources.key)
  if (!certificate.checkPrivateKey(privateKey)) {
    if (chain.some((other) => other.checkPrivateKey(privateKey)))
      throw refuse(
        'tlsCertFile',
        `in ${sources.cert} the server's own certificate must come first, and those of its issuers after it`,
      )
    throw refuse(
      'tlsKeyFile',
      `${sources.key} is not the key of the certificate in ${sources.cert}; give the two that were made together`,
    )
  }
  if (new Date(certificate.validTo).getTime() <= now)
    throw refuse('tlsCertFile', `the certificate in ${sources.cert} expired on ${day(certificate.validTo)}; renew it`)
  if (new Date(certificate.validFrom).getTime() > now)
    throw refuse(
      'tlsCertFile',
      `the certificate in ${sources.cert} is valid only from ${day(certificate.validFrom)}; is this machine's clock right?`,
    )
  try {
    createSecureContext({ cert, key })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw refuse('tlsCertFile', `OpenSSL does not take the certificate in ${sources.cert}: ${reason}; make a new one`, cause)
  }
  return { cert, key, certificate }
}

/** Reads and checks the operator's own pair. */
export const readPair = (certFile: string, keyFile: string, now: number): CertificatePair =>
  checkPair(readOptionFile(certFile, 'tlsCertFile'), readOptionFile(keyFile, 'tlsKeyFile'), now, { cert: certFile, key: keyFile })
