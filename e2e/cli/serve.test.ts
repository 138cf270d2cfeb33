import { once } from 'node:events'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { eventually } from '@fusewire/testkit'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { runFusewire } from '../fusewire-command.ts'
import { commandFolder, lines } from './command-folder.ts'

// Each test starts several processes.
vi.setConfig({ testTimeout: 120_000 })

describe('from an empty folder to a message', () => {
  it('init, check-config, serve, token, subscribe, publish, Ctrl-C', async () => {
    const { folder, start, run, serve } = commandFolder()
    expect(await run(['init'])).toMatchObject({ code: 0, err: '' })
    expect(await run(['check-config'])).toMatchObject({ code: 0, out: expect.stringContaining('can be used: fusewire.yaml.') })
    const [, apiKey = ''] = /^apiKeys:\n {2}- (\S+)$/mu.exec(readFileSync(join(folder, 'fusewire.yaml'), 'utf8')) ?? []
    const { server, url } = await serve()
    await using _ = server
    const environment = { FUSEWIRE_URL: url, FUSEWIRE_API_KEY: apiKey }

    const token = await run(['token', '--user', 'alice'])
    expect(token).toMatchObject({ code: 0, out: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+\n$/u), err: '' })

    await using subscriber = start(['subscribe', 'chat:lobby', '--presence'], {
      ...environment,
      FUSEWIRE_TOKEN: token.out.trim(),
    })
    await subscriber.until('err', /^Subscribed to chat:lobby/mu)

    const published = await run(['publish', 'chat:lobby', '{"text":"hello"}', '--tag', 'lang=en'], environment)
    expect(published.err).toBe('')
    const [{ position }] = lines(published.out) as [{ position: { offset: number } }]
    expect(position).toMatchObject({ offset: 1 })

    await subscriber.until('out', /"hello"/u)
    expect(lines(subscriber.out)).toContainEqual({
      type: 'publication',
      channel: 'chat:lobby',
      offset: 1,
      data: { text: 'hello' },
      tags: { lang: 'en' },
      time: expect.any(Number),
    })
    expect(lines((await run(['info'], environment)).out)).toEqual([expect.objectContaining({ sessions: 1, subscriptions: 1 })])

    subscriber.signal('SIGINT')
    expect(await subscriber.exit()).toBe(0)
    expect(lines((await run(['info'], environment)).out)).toEqual([expect.objectContaining({ sessions: 0, subscriptions: 0 })])

    server.signal('SIGTERM')
    expect(await server.exit()).toBe(0)
  })
})

describe('serve', () => {
  it('says where it is to be reached, and that development is not production', async () => {
    const { start } = commandFolder()
    await using server = start(['serve', '--development', '--port', '0', '--cleartext-port', '0'])
    const [, url] = await server.until('out', /(https:\/\/localhost:\d+)\n/u)
    await server.until('out', /To trust this one: .*development-certificate\.pem/u)
    const [port] = /\d+$/u.exec(url ?? '') ?? []
    for (const text of [
      'DEVELOPMENT MODE: not for production.',
      `wss://localhost:${port}/fusewire/v1/ws`,
      `wss://localhost:${port}/fusewire/v1/echo`,
      `localhost:${port} (TLS, ALPN fusewire/1)`,
      'http://localhost:',
    ])
      expect(server.out).toContain(text)
    expect(server.out).toMatch(/SHA-256 +([0-9A-F]{2}:){31}[0-9A-F]{2}\n/u)
    server.signal('SIGINT')
    expect(await server.exit()).toBe(0)
  })

  it.each([
    [['--development'], { NODE_ENV: 'production' }, /NODE_ENV is production/u],
    [['--development', '--host', '0.0.0.0'], {}, /developmentOnAllInterfaces/u],
    [[], {}, /no client could connect: set jwtSecret/u],
    [['--development', '--ping-interval-ms', '25s'], {}, /pingIntervalMs \(--ping-interval-ms\): .*write 25000/u],
    [['--development'], { FUSEWIRE_PING_INTERVAL: '1' }, /FUSEWIRE_PING_INTERVAL: .*did you mean FUSEWIRE_PING_INTERVAL_MS\?/u],
    [['--development', '--tls-key-file', 'k.pem'], {}, /a key without its certificate/u],
    [['--development', '--tls-key-file', 'k.pem', '--tls-cert-file', 'c.pem'], {}, /c\.pem does not exist/u],
    [['--no-tls', '--development'], {}, /nothing to listen on.*cleartextPort/u],
    [['--prot', '1'], {}, /Did you mean --port\?/u],
  ])('%j does not start, and says why', async (args, environment, message) => {
    const { run } = commandFolder()
    const { code, out, err } = await run(['serve', '--port', '0', ...args], environment)
    expect(err).toMatch(message)
    expect({ code, out }).toEqual({ code: 2, out: '' })
  })

  it.each([
    ['unknown: 1\n', /unknown \(fusewire\.yaml:1:1\): is not an option/u],
    ['development: true\npingInterval: 25\n', /pingInterval \(fusewire\.yaml:2:1\): .*did you mean pingIntervalMs\?/u],
    ['development: true\nmaxMessageBytes: 64KB\n', /maxMessageBytes \(fusewire\.yaml:2:1\): .*write 65536, not "64KB"/u],
    ['development: [\n', /fusewire\.yaml:2:1: /u],
  ])('does not start with the file %j', async (file, message) => {
    const { folder, run } = commandFolder()
    writeFileSync(join(folder, 'fusewire.yaml'), file)
    const { code, err } = await run(['serve', '--port', '0'])
    expect(err).toMatch(message)
    expect(code).toBe(2)
  })

  it('does not start with a key of another certificate', async () => {
    const { run, serve } = commandFolder()
    for (const name of ['a', 'b']) {
      const { server } = await serve('--development', '--certificate-dir', name)
      await using _ = server
    }
    const files = ['--tls-cert-file', 'a/development.pem', '--tls-key-file', 'b/development.pem']
    const { code, err } = await run(['serve', '--development', '--port', '0', ...files])
    expect(err).toMatch(/b\/development\.pem is not the key of the certificate in .*a\/development\.pem/u)
    expect(code).toBe(2)
  })

  it('says which port is in use, and how to choose another', async () => {
    const { run, serve } = commandFolder()
    const { server, url } = await serve('--development')
    await using _ = server
    const { port } = new URL(url)
    const { code, err } = await run(['serve', '--development', '--port', port])
    expect(err).toContain(
      `Port ${port} is in use on 127.0.0.1. Choose another one with port in the configuration or --port <number>`,
    )
    expect(code).toBe(1)
  })

  it('ends at once with the second signal', async () => {
    const { run, serve } = commandFolder()
    const { server, urls } = await serve('--development', '--cleartext-port', '0', '--drain-timeout-ms', '600000')
    await using _ = server
    const { port } = new URL(urls[1] ?? '')
    // A request whose body does not end is waited for.
    const request = connect(Number(port), '127.0.0.1')
    request.on('error', () => {})
    request.write('POST /v1/publish HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{')
    await run(['info', '--url', urls[1] ?? ''])
    server.signal('SIGTERM')
    await server.until('err', /^Leaving; a second signal ends at once\.$/mu)
    server.signal('SIGTERM')
    expect(await server.exit()).toBe(143)
    request.destroy()
  })

  it('serves the new certificate after SIGHUP', async () => {
    const { folder, serve } = commandFolder()
    const certificates = new Map<string, string>()
    for (const name of ['old', 'new']) {
      const { server, certificate } = await serve('--development', '--certificate-dir', name)
      await using _ = server
      certificates.set(name, certificate?.fingerprint ?? '')
    }
    mkdirSync(join(folder, 'tls'))
    const use = (name: string) => copyFileSync(join(folder, name, 'development.pem'), join(folder, 'tls', 'tls.pem'))
    use('old')
    const { server, url } = await serve('--development', '--tls-cert-file', 'tls/tls.pem', '--tls-key-file', 'tls/tls.pem')
    await using _ = server
    expect(await fingerprintOf(url)).toBe(certificates.get('old'))
    use('new')
    server.signal('SIGHUP')
    await eventually(async () => expect(await fingerprintOf(url)).toBe(certificates.get('new')))
  })
})

const fingerprintOf = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    })
    socket.once('error', reject)
  })

describe('SIGTERM while the server starts', () => {
  it.each([0, 200, 400, 600, 900, 1300, 1800])('after %d ms ends it, and leaves nothing behind', async (ms) => {
    const { start } = commandFolder()
    await using server = start(['serve', '--development', '--port', '0', '--log-format', 'json'])
    await new Promise((resolve) => setTimeout(resolve, ms))
    server.signal('SIGTERM')
    // Before the program has been loaded the signal itself is the end.
    expect([0, 'SIGTERM']).toContain(await server.exit())
    expect(server.err).not.toMatch(/defect|Error/u)
  })

  it('ends it while it waits for its broker', async () => {
    const { start } = commandFolder()
    let asked = 0
    const silent = createServer((socket) => {
      asked++
      socket.on('error', () => {}).resume()
    }).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    onTestFinished(() => void silent.close())
    const { port } = silent.address() as AddressInfo
    const options = ['--development', '--port', '0', '--broker', `redis://127.0.0.1:${port}`]
    await using server = start(['serve', ...options])
    await eventually(() => asked > 0)
    server.signal('SIGTERM')
    expect(await server.exit()).toBe(0)
    expect(server.out).toBe('')
    expect(server.err).not.toMatch(/defect|Error/u)
  })
})

describe('an old Node', () => {
  it('is told so in one line', async () => {
    const { folder } = commandFolder()
    const old = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.0' } })`
    const { code, out, err } = await runFusewire(['--version'], { folder, nodeFlags: ['--import', old] })
    expect(err).toMatch(/^Fusewire needs Node 22\.12 or newer; this is v.*\n$/u)
    expect({ code, out }).toEqual({ code: 1, out: '' })
  })
})
