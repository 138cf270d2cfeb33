import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { certificateFacts } from './certificate-facts.ts'
import { developmentCertificate } from './development-certificate.ts'
import { HandshakeServer } from './testing/handshake.ts'
import { TlsCertificates } from './tls-certificates.ts'

const DAY_MS = 86_400_000

let parent: string
let directory: string

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'fusewire-dev-'))
  directory = join(parent, 'kept')
})
afterEach(() => rmSync(parent, { recursive: true }))

const pairFile = () => join(directory, 'development.pem')
const modeOf = (path: string) => statSync(path).mode & 0o777

describe('the development certificate', () => {
  it('is for this machine, and short enough for browsers', async () => {
    const now = Date.now()
    const { pair, created } = await developmentCertificate(directory, now)
    expect(created).toBe(true)
    const { certificate } = pair
    for (const name of ['localhost', hostname().toLowerCase()]) expect(certificate.checkHost(name)).toBeDefined()
    expect(certificate.subjectAltName).toContain('DNS:*.localhost')
    for (const ip of ['127.0.0.1', '::1']) expect(certificate.checkIP(ip)).toBeDefined()
    expect(certificate.checkHost('example.com')).toBeUndefined()
    const { validFrom, validTo } = certificateFacts(certificate)
    expect(validTo.getTime() - validFrom.getTime()).toBeLessThanOrEqual(397 * DAY_MS)
    expect(validFrom.getTime()).toBeLessThan(now)
    expect(certificate.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' })
    expect(certificate.ca).toBe(false)
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(certificate.verify(certificate.publicKey)).toBe(true)
  })

  it('is kept, with its key for the owner alone, out of repositories, and nothing left over', async () => {
    const made = await developmentCertificate(directory, Date.now())
    expect(modeOf(pairFile())).toBe(0o600)
    expect(modeOf(directory)).toBe(0o700)
    expect(readFileSync(join(directory, '.gitignore'), 'utf8')).toBe('*\n')
    expect(readFileSync(made.certificateFile, 'utf8')).toBe(made.pair.cert)
    expect(readFileSync(made.certificateFile, 'utf8')).not.toContain('PRIVATE')
    expect(readdirSync(directory).sort()).toEqual(['.gitignore', 'development-certificate.pem', 'development.pem'])
    const again = await developmentCertificate(directory, Date.now())
    expect(again).toMatchObject({
      created: false,
      pair: { certificate: { fingerprint256: made.pair.certificate.fingerprint256 } },
    })
  })

  it('takes back the mode of a key that others could read', async () => {
    await developmentCertificate(directory, Date.now())
    chmodSync(pairFile(), 0o644)
    await developmentCertificate(directory, Date.now())
    expect(modeOf(pairFile())).toBe(0o600)
  })

  it('is remade when it expires within 7 days, and not before', async () => {
    const now = Date.now()
    const { pair } = await developmentCertificate(directory, now)
    const { validTo } = certificateFacts(pair.certificate)
    const early = await developmentCertificate(directory, validTo.getTime() - 7 * DAY_MS - 1000)
    expect(early.created).toBe(false)
    const late = await developmentCertificate(directory, validTo.getTime() - 7 * DAY_MS)
    expect(late.created).toBe(true)
    expect(certificateFacts(late.pair.certificate).validTo.getTime()).toBeGreaterThan(validTo.getTime())
  })

  it.each(['', 'no PEM', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])(
    'is remade when its file is damaged (%j)',
    async (text) => {
      await developmentCertificate(directory, Date.now())
      writeFileSync(pairFile(), text)
      expect((await developmentCertificate(directory, Date.now())).created).toBe(true)
      expect((await developmentCertificate(directory, Date.now())).created).toBe(false)
    },
  )

  it('is whole whichever process writes last', async () => {
    await Promise.all(Array.from({ length: 4 }, () => developmentCertificate(directory, Date.now())))
    expect((await developmentCertificate(directory, Date.now())).created).toBe(false)
  })

  it('says which option to change when its folder cannot be used', async () => {
    writeFileSync(join(parent, 'file'), '')
    const refused = developmentCertificate(join(parent, 'file', 'kept'), Date.now())
    await expect(refused).rejects.toMatchObject({
      name: 'ConfigurationError',
      problems: [
        {
          option: 'certificateDir',
          message: expect.stringContaining('choose another folder, or give tlsCertFile and tlsKeyFile'),
        },
      ],
    })
  })
})

describe('serving it', () => {
  const open = async (): Promise<TlsCertificates> => {
    const certificates = await TlsCertificates.open({ certificateDir: directory })
    onTestFinished(() => certificates.close())
    return certificates
  }

  it('tells that it is one, and whether it is new, without giving the key away', async () => {
    const certificateFile = join(directory, 'development-certificate.pem')
    expect((await open()).development).toEqual({ created: true, certificateFile })
    expect((await open()).development).toEqual({ created: false, certificateFile })
  })

  it('convinces a client that trusts it', async () => {
    const certificates = await open()
    const server = await HandshakeServer.start(certificates)
    onTestFinished(() => server.close())
    const ca = readFileSync(join(directory, 'development-certificate.pem'))
    const socket = await server.connect({ ca, rejectUnauthorized: true })
    expect(socket.authorized).toBe(true)
    expect(socket.getPeerCertificate().fingerprint256).toBe(certificates.facts.fingerprint)
  })

  it('convinces a client that trusts others of its kind before it', async () => {
    const others = await Promise.all(['a', 'b'].map((name) => developmentCertificate(join(parent, name), Date.now())))
    const server = await HandshakeServer.start(await open())
    onTestFinished(() => server.close())
    const files = [...others.map(({ certificateFile }) => certificateFile), join(directory, 'development-certificate.pem')]
    const ca = files.map((file) => readFileSync(file, 'utf8'))
    expect((await server.connect({ ca, rejectUnauthorized: true })).authorized).toBe(true)
  })

  it('has the hashes that curl and browsers take', async () => {
    const { facts } = await open()
    const file = join(directory, 'development-certificate.pem')
    expect(facts.fingerprint).toBe(new X509Certificate(readFileSync(file)).fingerprint256)
    expect(facts.spkiHash).toMatch(/^[A-Za-z0-9+/]{43}=$/)
    if (!existsSync('/usr/bin/openssl')) return
    const spki = execFileSync('openssl', ['x509', '-in', file, '-pubkey', '-noout'])
    const der = execFileSync('openssl', ['pkey', '-pubin', '-outform', 'der'], { input: spki })
    expect(execFileSync('openssl', ['dgst', '-sha256', '-binary'], { input: der }).toString('base64')).toBe(facts.spkiHash)
  })
})
