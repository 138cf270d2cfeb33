import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@fusewire/testkit'
import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { ConfigurationError } from '../config/configuration-error.ts'
import type { CertificateFacts } from './certificate-facts.ts'
import { type CertificateFiles, TestAuthority } from './testing/certificate-authority.ts'
import { echo, HandshakeServer } from './testing/handshake.ts'
import { TICKET_KEY_ROTATION_MS, TicketSecret } from './ticket-secret.ts'
import { TlsCertificates, type TlsCertificatesOptions } from './tls-certificates.ts'

let authority: TestAuthority
let first: CertificateFiles
let second: CertificateFiles
let directory: string
let tlsCertFile: string
let tlsKeyFile: string

beforeAll(async () => {
  authority = await TestAuthority.create()
  first = await authority.issue({ commonName: 'first' })
  second = await authority.issue({ commonName: 'second' })
})

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fusewire-tls-'))
  tlsCertFile = join(directory, 'tls.crt')
  tlsKeyFile = join(directory, 'tls.key')
  write(first)
})

afterEach(() => rmSync(directory, { recursive: true }))

const write = ({ cert, key }: CertificateFiles): void => {
  writeFileSync(tlsCertFile, cert)
  writeFileSync(tlsKeyFile, key)
}

const open = async (options: Partial<TlsCertificatesOptions> = {}): Promise<TlsCertificates> => {
  const certificates = await TlsCertificates.open({ tlsCertFile, tlsKeyFile, debounceMs: 20, ...options })
  onTestFinished(() => certificates.close())
  return certificates
}

const serve = async (certificates: TlsCertificates, alpn?: readonly string[]): Promise<HandshakeServer> => {
  const server = await HandshakeServer.start(certificates, alpn)
  onTestFinished(() => server.close())
  return server
}

/** The name in the certificate that a new connection gets. */
const servedName = async (server: HandshakeServer): Promise<string | undefined> => {
  const socket = await server.connect()
  const { CN } = socket.getPeerCertificate().subject
  socket.destroy()
  return Array.isArray(CN) ? CN[0] : CN
}

describe('handshakes', () => {
  it('speaks TLS 1.3 and 1.2, and nothing older', async () => {
    const server = await serve(await open())
    const modern = await server.connect()
    expect(modern.getProtocol()).toBe('TLSv1.3')
    const older = await server.connect({ maxVersion: 'TLSv1.2' })
    expect(older.getProtocol()).toBe('TLSv1.2')
    const oldest = server.connect({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' })
    await expect(oldest).rejects.toMatchObject({ code: expect.stringContaining('PROTOCOL_VERSION') })
  })

  it('refuses TLS 1.2 when tlsMinVersion is TLSv1.3', async () => {
    const server = await serve(await open({ tlsMinVersion: 'TLSv1.3' }))
    await expect(server.connect({ maxVersion: 'TLSv1.2' })).rejects.toMatchObject({
      code: expect.stringContaining('PROTOCOL_VERSION'),
    })
    expect((await server.connect()).getProtocol()).toBe('TLSv1.3')
  })

  it.each(['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305'])(
    'takes the TLS 1.2 suite %s',
    async (ciphers) => {
      const server = await serve(await open())
      const socket = await server.connect({ maxVersion: 'TLSv1.2', ciphers })
      expect(socket.getCipher().name).toBe(ciphers)
    },
  )

  it.each([
    ['without forward secrecy', 'AES128-GCM-SHA256'],
    ['without authenticated encryption', 'ECDHE-RSA-AES128-SHA256'],
    ['with finite-field groups', 'DHE-RSA-AES128-GCM-SHA256'],
    ['of the last century', 'AES128-SHA'],
  ])('refuses TLS 1.2 suites %s', async (_, ciphers) => {
    write(await authority.issue({ keyType: 'rsa' }))
    const server = await serve(await open())
    const strong = await server.connect({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' })
    expect(strong.getCipher().name).toBe('ECDHE-RSA-AES128-GCM-SHA256')
    await expect(server.connect({ maxVersion: 'TLSv1.2', ciphers })).rejects.toMatchObject({
      code: expect.stringContaining('HANDSHAKE_FAILURE'),
    })
  })

  it.each(['X25519', 'P-256', 'P-384'])('agrees on a key with %s', async (ecdhCurve) => {
    const server = await serve(await open())
    const socket = await server.connect({ ecdhCurve })
    expect(socket.getEphemeralKeyInfo()).toMatchObject({ type: 'ECDH' })
  })

  it('refuses a client that knows only weaker groups', async () => {
    const server = await serve(await open())
    await expect(server.connect({ ecdhCurve: 'P-224' })).rejects.toThrow()
  })

  it("negotiates the protocols of the list, the server's order first, and refuses others", async () => {
    const server = await serve(await open(), ['h2', 'http/1.1', 'fusewire/1'])
    expect((await server.connect({ ALPNProtocols: ['http/1.1', 'h2'] })).alpnProtocol).toBe('h2')
    expect((await server.connect({ ALPNProtocols: ['fusewire/1'] })).alpnProtocol).toBe('fusewire/1')
    expect((await server.connect()).alpnProtocol).toBe(false)
    await expect(server.connect({ ALPNProtocols: ['smtp'] })).rejects.toMatchObject({
      code: expect.stringContaining('NO_APPLICATION_PROTOCOL'),
    })
  })

  it('refuses renegotiation', async () => {
    const server = await serve(await open())
    const socket = await server.connect({ maxVersion: 'TLSv1.2' })
    const refused = new Promise((resolve) => {
      socket.on('error', resolve)
      socket.renegotiate({}, (error) => error && resolve(error))
    })
    expect(await refused).toBeInstanceOf(Error)
  })

  describe.each(['TLSv1.2', 'TLSv1.3'] as const)('session tickets of %s', (maxVersion) => {
    const isReused = async (server: HandshakeServer, session: Buffer) =>
      (await server.connect({ maxVersion, session })).isSessionReused()

    it('resume a session', async () => {
      const server = await serve(await open())
      expect(await isReused(server, await server.ticket({ maxVersion }))).toBe(true)
    })

    it('resume a session in another process that has the same seed', async () => {
      const now = Date.now()
      const ticketSecret = new TicketSecret(TICKET_KEY_ROTATION_MS, now)
      const one = await serve(await open({ ticketSecret }))
      const session = await one.ticket({ maxVersion })
      const same = new TicketSecret(TICKET_KEY_ROTATION_MS, now, ticketSecret.seed(now))
      expect(await isReused(await serve(await open({ ticketSecret: same })), session)).toBe(true)
      expect(await isReused(await serve(await open()), session)).toBe(false)
    })

    it('are worth nothing when their keys have changed', async () => {
      const server = await serve(await open({ ticketKeyRotationMs: 50 }))
      const keys = server.server.getTicketKeys()
      const session = await server.ticket({ maxVersion })
      await eventually(async () => expect(await isReused(server, session)).toBe(false))
      // What Node keeps of the options.
      const { ticketKeys } = server.server as unknown as { readonly ticketKeys: Buffer }
      expect(ticketKeys.equals(keys)).toBe(false)
    })
  })
})

describe('reload', () => {
  it('gives new connections the new certificate while old ones live on', async () => {
    const onReload = vi.fn<(facts: CertificateFacts) => void>()
    const certificates = await open({ onReload })
    const server = await serve(certificates)
    const old = await server.connect()
    write(second)
    expect(await certificates.reload()).not.toBe('refused')
    expect(await servedName(server)).toBe('second')
    await echo(old)
    expect(old.getPeerCertificate().subject.CN).toBe('first')
    expect(certificates.facts.subject).toBe('CN=second')
    expect(onReload).toHaveBeenCalledExactlyOnceWith(certificates.facts)
  })

  it('sees by itself that the files were replaced', async () => {
    const server = await serve(await open({ pollMs: 3_600_000 }))
    write(second)
    await eventually(async () => expect(await servedName(server)).toBe('second'))
  })

  it('sees by itself that the files were renamed into place', async () => {
    const server = await serve(await open({ pollMs: 3_600_000 }))
    writeFileSync(`${tlsKeyFile}.new`, second.key)
    writeFileSync(`${tlsCertFile}.new`, second.cert)
    renameSync(`${tlsKeyFile}.new`, tlsKeyFile)
    renameSync(`${tlsCertFile}.new`, tlsCertFile)
    await eventually(async () => expect(await servedName(server)).toBe('second'))
  })

  it('follows the link that Kubernetes turns when a secret changes', async () => {
    const mount = join(directory, 'mount')
    const put = (version: string, { cert, key }: CertificateFiles) => {
      mkdirSync(join(mount, version), { recursive: true })
      writeFileSync(join(mount, version, 'tls.crt'), cert)
      writeFileSync(join(mount, version, 'tls.key'), key)
      symlinkSync(version, join(mount, '..data_tmp'))
      renameSync(join(mount, '..data_tmp'), join(mount, '..data'))
    }
    put('..2026_1', first)
    symlinkSync('..data/tls.crt', join(mount, 'tls.crt'))
    symlinkSync('..data/tls.key', join(mount, 'tls.key'))
    const server = await serve(
      await open({ tlsCertFile: join(mount, 'tls.crt'), tlsKeyFile: join(mount, 'tls.key'), pollMs: 3_600_000 }),
    )
    expect(await servedName(server)).toBe('first')
    put('..2026_2', second)
    rmSync(join(mount, '..2026_1'), { recursive: true })
    await eventually(async () => expect(await servedName(server)).toBe('second'))
  })

  it('polls where the file system tells nothing', async () => {
    // The debounce never ends: only the poll is left.
    const server = await serve(await open({ debounceMs: 3_600_000, pollMs: 20 }))
    write(second)
    await eventually(async () => expect(await servedName(server)).toBe('second'))
  })

  it('goes on with the old certificate when the new files are wrong, reports them once, and takes them when they are mended', async () => {
    const errors: ConfigurationError[] = []
    const certificates = await open({ pollMs: 10, onReloadError: (error) => errors.push(error) })
    const server = await serve(certificates)
    writeFileSync(tlsCertFile, second.cert)
    await eventually(() => expect(errors).toHaveLength(1))
    expect(errors[0]?.problems).toMatchObject([{ option: 'tlsKeyFile' }])
    expect(await servedName(server)).toBe('first')
    expect(await certificates.reload()).toBe('refused')
    expect(errors).toHaveLength(2)
    writeFileSync(tlsKeyFile, second.key)
    await eventually(async () => expect(await servedName(server)).toBe('second'))
  })

  it('goes on when the files have gone', async () => {
    const errors: ConfigurationError[] = []
    const certificates = await open({ onReloadError: (error) => errors.push(error) })
    const server = await serve(certificates)
    rmSync(tlsKeyFile)
    expect(await certificates.reload()).toBe('refused')
    expect(errors.at(-1)?.message).toContain('tls.key does not exist')
    expect(await servedName(server)).toBe('first')
  })

  it('does nothing for files that are the same', async () => {
    const onReload = vi.fn()
    const certificates = await open({ onReload })
    write(first)
    expect(await certificates.reload()).toBe('unchanged')
    expect(onReload).not.toHaveBeenCalled()
  })

  it('reaches every attached server, and none that was detached or closed', async () => {
    const certificates = await open()
    const [one, other] = [await serve(certificates), await HandshakeServer.start(certificates)]
    const detach = certificates.attach(one.server)
    const spy = vi.spyOn(other.server, 'setSecureContext')
    await other.close()
    detach()
    write(second)
    expect(await certificates.reload()).not.toBe('refused')
    expect(spy).not.toHaveBeenCalled()
    expect(await servedName(one)).toBe('first')
  })

  it('gives a server that is attached late the newest certificate', async () => {
    const certificates = await open()
    const options = certificates.serverOptions(['h2'])
    write(second)
    await certificates.reload()
    const server = await serve(certificates)
    expect(options.cert).toBe(first.cert)
    expect(await servedName(server)).toBe('second')
  })

  it('serves the last good pair after any sequence of good and bad files', async () => {
    const pairs = [first, second, await authority.issue({ commonName: 'third' })]
    const good = fc.nat(2).map((index) => ({ kind: 'good' as const, index }))
    const bad = fc.constantFrom('mismatch', 'empty', 'missing').map((how) => ({ kind: 'bad' as const, how }))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(good, bad), { maxLength: 6 }), async (steps) => {
        write(first)
        const certificates = await TlsCertificates.open({ tlsCertFile, tlsKeyFile, debounceMs: 3_600_000 })
        const server = await HandshakeServer.start(certificates)
        let expected = 0
        try {
          for (const step of steps) {
            const pair = pairs[step.kind === 'good' ? step.index : (expected + 1) % 3] ?? first
            write(pair)
            if (step.kind === 'bad') {
              if (step.how === 'mismatch') writeFileSync(tlsKeyFile, pairs[expected]?.key ?? '')
              else if (step.how === 'empty') writeFileSync(tlsCertFile, '')
              else rmSync(tlsKeyFile)
              expect(await certificates.reload()).toBe('refused')
            } else {
              expect(await certificates.reload()).toBe(step.index === expected ? 'unchanged' : 'reloaded')
              expected = step.index
            }
            expect(await servedName(server)).toBe(['first', 'second', 'third'][expected])
          }
        } finally {
          certificates.close()
          await server.close()
        }
      }),
      { numRuns: 20 },
    )
  })

  it('stops for good at close, which may be called twice', async () => {
    const onReload = vi.fn()
    const certificates = await open({ pollMs: 10, onReload })
    certificates.close()
    certificates.close()
    write(second)
    expect(await certificates.reload()).toBe('unchanged')
    expect(onReload).not.toHaveBeenCalled()
  })
})

describe('client certificates', () => {
  const openMutual = async (
    options: Partial<TlsCertificatesOptions> = {},
  ): Promise<[TlsCertificates, HandshakeServer, string]> => {
    const tlsClientCaFile = join(directory, 'clients.crt')
    writeFileSync(tlsClientCaFile, authority.cert)
    const certificates = await open({ tlsClientCaFile, ...options })
    return [certificates, await serve(certificates), tlsClientCaFile]
  }

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('lets in clients of the authority and nobody else (%s)', async (maxVersion) => {
    const [, server] = await openMutual()
    const client = await authority.issue({ commonName: 'device-7' })
    await server.connect({ ...client, maxVersion })
    await expect(server.connect({ maxVersion })).rejects.toThrow(/certificate required|handshake failure/)
    const stranger = await (await TestAuthority.create('Another authority')).issue({ commonName: 'device-7' })
    await expect(server.connect({ ...stranger, maxVersion })).rejects.toThrow()
    const expired = await authority.issue({ notAfter: new Date(Date.now() - 60_000) })
    await expect(server.connect({ ...expired, maxVersion })).rejects.toThrow()
  })

  it('asks no certificate of clients without tlsClientCaFile', async () => {
    const options = (await open()).serverOptions(['h2'])
    expect(options.requestCert).toBeUndefined()
    expect(options.ca).toBeUndefined()
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'shuts out a client whose authority was replaced, also with a ticket from before (%s)',
    async (maxVersion) => {
      const [certificates, server, tlsClientCaFile] = await openMutual()
      const client = { ...(await authority.issue()), maxVersion }
      const session = await server.ticket(client)
      expect((await server.connect({ ...client, session })).isSessionReused()).toBe(true)
      const successor = await TestAuthority.create('Successor')
      writeFileSync(tlsClientCaFile, successor.cert)
      expect(await certificates.reload()).not.toBe('refused')
      await expect(server.connect({ ...client, session })).rejects.toThrow()
      await server.connect({ ...(await successor.issue()), maxVersion })
    },
  )

  it('refuses a file without certificates', async () => {
    const tlsClientCaFile = join(directory, 'clients.crt')
    writeFileSync(tlsClientCaFile, 'nothing')
    await expect(open({ tlsClientCaFile })).rejects.toMatchObject({ problems: [{ option: 'tlsClientCaFile' }] })
  })
})

describe('files that cannot be used', () => {
  const problemOf = async (
    options: Partial<TlsCertificatesOptions> = {},
  ): Promise<{ option?: string; message: string } | undefined> => {
    const error = await open(options).then(
      () => undefined,
      (reason: ConfigurationError) => reason,
    )
    expect(error?.name).toBe('ConfigurationError')
    expect(error?.problems).toHaveLength(1)
    return error?.problems[0]
  }

  it('names the option of a missing file, and its full path', async () => {
    rmSync(tlsCertFile)
    expect(await problemOf()).toEqual({
      option: 'tlsCertFile',
      message: expect.stringContaining(`${tlsCertFile} does not exist`),
    })
  })

  it('says that a path is a folder', async () => {
    expect(await problemOf({ tlsKeyFile: directory })).toEqual({
      option: 'tlsKeyFile',
      message: expect.stringContaining('is a folder'),
    })
  })

  it('asks for the other half of a pair', async () => {
    const half = TlsCertificates.open({ tlsCertFile })
    await expect(half).rejects.toThrow('tlsCertFile: a certificate without its key: set tlsKeyFile too')
    await expect(TlsCertificates.open({ tlsKeyFile })).rejects.toThrow(
      'tlsKeyFile: a key without its certificate: set tlsCertFile too',
    )
  })

  it('says that key and certificate do not fit', async () => {
    writeFileSync(tlsKeyFile, second.key)
    expect(await problemOf()).toEqual({
      option: 'tlsKeyFile',
      message: expect.stringContaining('is not the key of the certificate'),
    })
  })

  it('says that the two files are swapped', async () => {
    expect(await problemOf({ tlsCertFile: tlsKeyFile, tlsKeyFile: tlsCertFile })).toEqual({
      option: 'tlsCertFile',
      message: expect.stringContaining('are the two files swapped?'),
    })
    expect(await problemOf({ tlsKeyFile: tlsCertFile })).toEqual({
      option: 'tlsKeyFile',
      message: expect.stringContaining('are the two files swapped?'),
    })
  })

  it("says that the chain begins with an issuer's certificate", async () => {
    writeFileSync(tlsCertFile, authority.cert + first.cert)
    expect(await problemOf()).toEqual({ option: 'tlsCertFile', message: expect.stringContaining('must come first') })
  })

  it('says when a certificate expired', async () => {
    write(await authority.issue({ notBefore: new Date('2020-01-01'), notAfter: new Date('2020-03-01') }))
    expect(await problemOf()).toEqual({
      option: 'tlsCertFile',
      message: expect.stringMatching(/expired on 2020-03-01T00:00:00.000Z; renew it/),
    })
  })

  it('says when a certificate is not valid yet', async () => {
    write(await authority.issue({ notBefore: new Date(Date.now() + 3_600_000) }))
    expect(await problemOf()).toEqual({ option: 'tlsCertFile', message: expect.stringContaining('valid only from') })
  })

  it.each([
    ['no PEM', 'hello', 'holds no PEM certificate'],
    ['a damaged certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', 'certificate 1 in'],
  ])('says that tlsCertFile holds %s', async (_, text, message) => {
    writeFileSync(tlsCertFile, text)
    expect(await problemOf()).toEqual({ option: 'tlsCertFile', message: expect.stringContaining(message) })
  })

  it.each([
    ['no PEM', 'hello', 'holds no PEM private key'],
    ['a damaged key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'is damaged'],
    [
      'an encrypted key',
      '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n',
      'is encrypted; decrypt it',
    ],
  ])('says that tlsKeyFile holds %s', async (_, text, message) => {
    writeFileSync(tlsKeyFile, text)
    expect(await problemOf()).toEqual({ option: 'tlsKeyFile', message: expect.stringContaining(message) })
  })

  it('serves a chain', async () => {
    writeFileSync(tlsCertFile, first.cert + authority.cert)
    const server = await serve(await open())
    const socket = await server.connect({ ca: authority.cert, rejectUnauthorized: true })
    expect(socket.authorized).toBe(true)
  })

  it('takes certificate and key from one file', async () => {
    writeFileSync(tlsCertFile, first.key + first.cert)
    expect((await open({ tlsKeyFile: tlsCertFile })).facts.subject).toBe('CN=first')
  })
})
