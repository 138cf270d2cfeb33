import { createHash, type X509Certificate } from 'node:crypto'

/** What there is to know about the certificate that is being served, for logs and people. */
export interface CertificateFacts {
  readonly subject: string
  /** Host names and addresses, as in the subject alternative name: `DNS:localhost, IP Address:127.0.0.1`. */
  readonly names: string
  readonly validFrom: Date
  readonly validTo: Date
  /** SHA-256 of the certificate, as browsers show it: `A1:B2:…`. */
  readonly fingerprint: string
  /**
   * SHA-256 of the public key, Base64: for Chromium's `--ignore-certificate-errors-spki-list=<hash>` and for
   * `curl --pinnedpubkey sha256//<hash>`.
   */
  readonly spkiHash: string
}

export const certificateFacts = (certificate: X509Certificate): CertificateFacts => ({
  subject: certificate.subject,
  names: certificate.subjectAltName ?? '',
  validFrom: new Date(certificate.validFrom),
  validTo: new Date(certificate.validTo),
  fingerprint: certificate.fingerprint256,
  spkiHash: createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64'),
})
