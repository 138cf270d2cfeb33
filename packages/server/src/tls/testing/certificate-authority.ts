import { randomBytes } from 'node:crypto'
import type { X509Certificate } from '@peculiar/x509'

/** PEM, as it stands in files. */
export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

export interface CertificateOptions {
  readonly commonName?: string
  /** Host names. Default `localhost`. */
  readonly names?: readonly string[]
  /** Default an hour ago. */
  readonly notBefore?: Date
  /** Default in a day. */
  readonly notAfter?: Date
  /** Default `ecdsa`. */
  readonly keyType?: 'ecdsa' | 'rsa'
}

const HOUR_MS = 3_600_000

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const RSA = { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }

const makeKeys = (type: 'ecdsa' | 'rsa') =>
  type === 'ecdsa'
    ? crypto.subtle.generateKey(ECDSA, true, ['sign', 'verify'])
    : crypto.subtle.generateKey(RSA, true, ['sign', 'verify'])

type Keys = Awaited<ReturnType<typeof makeKeys>>

// Loaded only by the tests that need it: it takes longer than most tests.
const loadX509 = async () => {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}

const pem = (label: string, der: ArrayBuffer): string => {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/gu) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

/** Issues certificates for servers and clients of tests. */
export class TestAuthority {
  readonly #certificate: X509Certificate
  readonly #keys: Keys

  private constructor(certificate: X509Certificate, keys: Keys) {
    this.#certificate = certificate
    this.#keys = keys
  }

  static async create(name = 'Test authority'): Promise<TestAuthority> {
    const { X509CertificateGenerator, BasicConstraintsExtension, KeyUsagesExtension, KeyUsageFlags } = await loadX509()
    const keys = await makeKeys('ecdsa')
    const certificate = await X509CertificateGenerator.createSelfSigned({
      serialNumber: `01${randomBytes(8).toString('hex')}`,
      name: `CN=${name}`,
      notBefore: new Date(Date.now() - HOUR_MS),
      notAfter: new Date(Date.now() + 48 * HOUR_MS),
      signingAlgorithm: ECDSA,
      keys,
      extensions: [new BasicConstraintsExtension(true, 0, true), new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true)],
    })
    return new TestAuthority(certificate, keys)
  }

  /** PEM of the authority's own certificate. */
  get cert(): string {
    return pem('CERTIFICATE', this.#certificate.rawData)
  }

  async issue(options: CertificateOptions = {}): Promise<CertificateFiles> {
    const { commonName = 'test', names = ['localhost'], keyType = 'ecdsa' } = options
    const { notBefore = new Date(Date.now() - HOUR_MS), notAfter = new Date(Date.now() + 24 * HOUR_MS) } = options
    const { X509CertificateGenerator, SubjectAlternativeNameExtension } = await loadX509()
    const keys = await makeKeys(keyType)
    const certificate = await X509CertificateGenerator.create({
      serialNumber: `01${randomBytes(8).toString('hex')}`,
      subject: `CN=${commonName}`,
      issuer: this.#certificate.subject,
      notBefore,
      notAfter,
      signingAlgorithm: ECDSA,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [new SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns' as const, value })))],
    })
    return {
      cert: pem('CERTIFICATE', certificate.rawData),
      key: pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', keys.privateKey)),
    }
  }
}
