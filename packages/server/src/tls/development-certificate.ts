import { randomBytes, randomUUID } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError } from '../config/configuration-error.ts'
import { fileProblem } from '../config/read-option-file.ts'
import { type CertificatePair, checkPair } from './certificate-pair.ts'

const DAY_MS = 86_400_000

/** Browsers refuse more than 398 days. */
const LIFETIME_MS = 396 * DAY_MS

/** For clocks that are behind this one: those of phones, of virtual machines. */
const BACKDATED_MS = DAY_MS

const RENEW_BEFORE_MS = 7 * DAY_MS

export interface DevelopmentCertificate {
  readonly pair: CertificatePair
  /** True when it has just been made. */
  readonly created: boolean
  /** The certificate without its key, for `curl --cacert` and for a trust store. */
  readonly certificateFile: string
}

/** `localhost` and everything below it, the loopback addresses, and this machine's own name where it can be one of DNS. */
const hostNames = (): string[] => {
  const own = hostname().toLowerCase()
  const isDnsName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/u.test(own)
  return [...new Set(['localhost', '*.localhost', ...(isDnsName ? [own] : [])])]
}

const toPem = (label: string, der: ArrayBuffer): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/.{1,64}/gu, '$&\n')}-----END ${label}-----\n`

const generate = async (now: number): Promise<{ cert: string; key: string }> => {
  // Loaded only here: most starts need no new certificate, and this takes about 80 ms.
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const serial = randomBytes(16)
  // Positive, and of full length (RFC 5280 section 4.1.2.2).
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serial.toString('hex'),
      name: 'CN=Fusewire development certificate',
      notBefore: new Date(now - BACKDATED_MS),
      notAfter: new Date(now - BACKDATED_MS + LIFETIME_MS),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([
          ...hostNames().map((value) => ({ type: 'dns' as const, value })),
          { type: 'ip', value: '127.0.0.1' },
          { type: 'ip', value: '::1' },
        ]),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        // All of these certificates have one name: without it OpenSSL looks no further than the first that a client trusts.
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
      ],
    },
    crypto,
  )
  return {
    cert: toPem('CERTIFICATE', certificate.rawData),
    key: toPem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', keys.privateKey)),
  }
}

/** A reader sees the whole old file or the whole new one, also when two processes start at once. */
const replaceFile = (path: string, text: string, mode: number): void => {
  const temporary = `${path}.${randomUUID()}`
  writeFileSync(temporary, text, { mode, flag: 'wx' })
  renameSync(temporary, path)
}

const read = (path: string, now: number): CertificatePair | undefined => {
  let pem: string
  try {
    pem = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  try {
    const pair = checkPair(pem, pem, now)
    return new Date(pair.certificate.validTo).getTime() - now > RENEW_BEFORE_MS ? pair : undefined
  } catch {
    // Expired or damaged: it is ours, and a new one costs nothing but the trust that someone may have put into it.
    return undefined
  }
}

/**
 * The certificate for trying things out: taken from `directory`, or made there when there is none, or when it expires within
 * 7 days. Certificate and key are one file, `development.pem`, so that they always fit each other.
 * @throws {@link ConfigurationError} when the folder cannot be used.
 */
export const developmentCertificate = async (directory: string, now: number): Promise<DevelopmentCertificate> => {
  const pairFile = join(directory, 'development.pem')
  const certificateFile = join(directory, 'development-certificate.pem')
  try {
    const kept = read(pairFile, now)
    if (kept) {
      chmodSync(pairFile, 0o600)
      return { pair: kept, created: false, certificateFile }
    }
    const { cert, key } = await generate(now)
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    // A key belongs in no repository.
    if (!existsSync(join(directory, '.gitignore'))) replaceFile(join(directory, '.gitignore'), '*\n', 0o644)
    replaceFile(pairFile, key + cert, 0o600)
    replaceFile(certificateFile, cert, 0o644)
    return { pair: checkPair(cert, key, now), created: true, certificateFile }
  } catch (cause) {
    if (cause instanceof ConfigurationError) throw cause
    const message = `${fileProblem(directory, cause)}; the development certificate is kept there: choose another folder, or give tlsCertFile and tlsKeyFile`
    throw new ConfigurationError([{ option: 'certificateDir', message }], { cause })
  }
}
