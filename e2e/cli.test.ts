import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FusewireCommand, runFusewire } from './fusewire-command.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fusewire-e2e-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const start = (args: readonly string[], environment: Record<string, string> = {}): FusewireCommand =>
  new FusewireCommand(args, { folder, environment })

const run = (args: readonly string[], environment: Record<string, string> = {}, input?: string) =>
  runFusewire(args, { folder, environment, ...(input === undefined ? {} : { input }) })

/** Starts a server that prints JSON and waits for its URLs. */
const serve = async (...args: string[]) => {
  const server = start(['serve', '--port', '0', '--log-format', 'json', ...args])
  const [line] = await server.until('out', /^\{.*\}$/mu)
  const { urls, certificate } = JSON.parse(line) as { urls: string[]; certificate?: { fingerprint: string } }
  return { server, url: urls[0] ?? '', urls, certificate }
}

const lines = (text: string): unknown[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)

describe('from an empty folder to a message', () => {
  it('init, check-config, serve, token, subscribe, publish, Ctrl-C', async () => {
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
    writeFileSync(join(folder, 'fusewire.yaml'), file)
    const { code, err } = await run(['serve', '--port', '0'])
    expect(err).toMatch(message)
    expect(code).toBe(2)
  })

  it('does not start with a key of another certificate', async () => {
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
    await expect.poll(() => fingerprintOf(url), { timeout: 10_000 }).toBe(certificates.get('new'))
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

describe('the clients', () => {
  it('trust the development certificate of the folder, a file, or anyone, but nobody else', async () => {
    const { server, url } = await serve('--development')
    await using _ = server
    const elsewhere = join(folder, 'elsewhere')
    mkdirSync(elsewhere)
    const info = (...args: string[]) => runFusewire(['info', '--url', url, ...args], { folder: elsewhere })
    expect(await run(['info', '--url', url])).toMatchObject({ code: 0, err: '' })
    expect(await info('--ca', '../.fusewire/development-certificate.pem')).toMatchObject({ code: 0, err: '' })
    expect(await info('--insecure')).toMatchObject({ code: 0, err: expect.stringContaining('is not checked (--insecure)') })
    expect(await info()).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/comes from nobody who is trusted here.*--ca/u),
    })
    expect(await info('--ca', 'nowhere.pem')).toMatchObject({ code: 2, err: expect.stringContaining('nowhere.pem (ENOENT)') })
  })

  it('publish lines of the standard input, and subscribe ends after --count', async () => {
    const { server, url } = await serve('--development')
    await using _ = server
    const environment = { FUSEWIRE_URL: url }
    await using subscriber = start(['subscribe', 'logs', '--count', '3'], environment)
    await subscriber.until('err', /^Subscribed to logs/mu)
    const published = await run(['publish', 'logs', '--lines'], environment, 'one\n{"two":2}\n\n3\n')
    expect(published.code).toBe(0)
    expect(lines(published.out)).toHaveLength(3)
    expect(await subscriber.exit()).toBe(0)
    expect(lines(subscriber.out).map((line) => (line as { data: unknown }).data)).toEqual(['one', { two: 2 }, 3])
  })

  it('change nothing when an idempotency key is used again', async () => {
    const { server, url } = await serve('--development')
    await using _ = server
    const publish = () => run(['publish', 'news', 'hello', '--key', 'k1', '--url', url])
    const [first, second] = [await publish(), await publish()].map(({ out }) => lines(out)[0])
    expect(first).toMatchObject({ duplicate: false })
    expect(second).toEqual({ ...(first as object), duplicate: true })
  })

  it('catch up from a position', async () => {
    const { server, url } = await serve('--development')
    await using _ = server
    const environment = { FUSEWIRE_URL: url }
    const { out } = await run(['publish', 'news', '--lines'], environment, 'a\nb\nc\n')
    const [{ position }] = lines(out) as [{ position: { epoch: string; offset: number } }]
    const since = `${position.epoch}:${position.offset}`
    const caught = await run(['subscribe', 'news', '--since', since, '--count', '2'], environment)
    expect(lines(caught.out)).toEqual([expect.objectContaining({ data: 'b' }), expect.objectContaining({ data: 'c' })])
    expect(caught.code).toBe(0)
  })

  it.each(['websocket', 'stream', 'poll'])('subscribe over %s', async (transport) => {
    const { server, url } = await serve('--development')
    await using _ = server
    await using subscriber = start(['subscribe', 'news', '--count', '1', '--transport', transport, '--url', url])
    await subscriber.until('err', new RegExp(`^Subscribed to news over ${transport}`, 'mu'))
    await run(['publish', 'news', 'hello', '--url', url])
    expect(await subscriber.exit()).toBe(0)
    expect(lines(subscriber.out)).toEqual([expect.objectContaining({ data: 'hello' })])
  })

  it('patch a document, print it, and leave it alone when it has changed since', async () => {
    const { server, url } = await serve('--development', '--rules', '[{"pattern":"device:*","state":true}]')
    await using _ = server
    const environment = { FUSEWIRE_URL: url }
    const publish = (data: object, ...flags: string[]) =>
      run(['publish', 'device:1', JSON.stringify(data), ...flags], environment)
    expect(await run(['state', 'device:1'], environment)).toMatchObject({ code: 1, err: expect.stringContaining('(not_found)') })
    await publish({ fan: true, load: 0.5 })
    await publish({ fan: null }, '--patch')
    const [{ position, ...state }] = lines((await run(['state', 'device:1'], environment)).out) as [
      { position: { epoch: string; offset: number } },
    ]
    expect(state).toEqual({ channel: 'device:1', document: { load: 0.5 }, time: expect.any(Number) })
    const here = `${position.epoch}:${position.offset}`
    expect(await publish({ load: 0.6 }, '--patch', '--if-position', here)).toMatchObject({ code: 0 })
    expect(await publish({ load: 0.7 }, '--patch', '--if-position', here)).toMatchObject({
      code: 1,
      err: expect.stringContaining('(conflict)'),
    })
  })

  it('say what a server refuses, and what to do', async () => {
    expect((await run(['init'])).code).toBe(0)
    const { server, url } = await serve()
    await using _ = server
    const environment = { FUSEWIRE_URL: url }
    expect(await run(['subscribe', 'chat:lobby'], environment)).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/\(token_required\)\. Give one with --token or FUSEWIRE_TOKEN/u),
    })
    expect(await run(['subscribe', 'chat:lobby', '--token', 'a.b.c'], environment)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/\(token_invalid\)\. Was it made with the key of this server\?/u),
    })
    expect(await run(['publish', 'news', 'x'], environment)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/\(api_key_required\)\. Give one of the server's apiKeys with --api-key or FUSEWIRE_API_KEY/u),
    })
    expect(await run(['publish', 'news', 'x', '--api-key', 'wrong'], environment)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/\(api_key_invalid\)/u),
    })
    expect(await run(['publish', 'white space', 'x', '--api-key', 'wrong'], environment)).toMatchObject({ code: 1 })
    const nobody = (await run(['token', '--user', 'bob'])).out.trim()
    expect(await run(['subscribe', 'no white space', '--token', nobody], environment)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/\(invalid_(channel|field)\)/u),
    })
  })

  it('end quietly when nobody reads what they print', async () => {
    const { server, url } = await serve('--development')
    await using _ = server
    await using subscriber = start(['subscribe', 'news', '--url', url])
    await subscriber.until('err', /^Subscribed/mu)
    subscriber.closeOutput()
    await run(['publish', 'news', 'hello', '--url', url])
    expect(await subscriber.exit()).toBe(0)
    expect(subscriber.err).not.toMatch(/EPIPE|defect/u)
  })
})

describe('drain', () => {
  it('has a server leave, says how many are left, and waits until it has gone', async () => {
    const { server, url } = await serve('--development', '--drain-window-ms', '2000')
    await using _ = server
    const environment = { FUSEWIRE_URL: url }
    const subscribers = ['a', 'b', 'c'].map((channel) => start(['subscribe', channel], environment))
    try {
      for (const subscriber of subscribers) await subscriber.until('err', /^Subscribed/mu)
      const { node } = lines((await run(['info'], environment)).out)[0] as { node: string }
      const drained = await run(['drain'], environment)
      expect(drained.code).toBe(0)
      expect(lines(drained.out)).toEqual([
        { event: 'draining', node, connections: 3, delayMs: 0, windowMs: 2000, timeoutMs: 10_000 },
        { event: 'drained', node },
      ])
      expect(drained.err).toMatch(/^(\d connections? left\n)+$/u)
      expect(drained.err).toContain('1 connection left')
      expect(await server.exit()).toBe(0)
    } finally {
      for (const subscriber of subscribers) await subscriber[Symbol.asyncDispose]()
    }
  })

  it('does not wait when it is not to, and says what is wrong', async () => {
    expect((await run(['init'])).code).toBe(0)
    const [, apiKey = ''] = /^apiKeys:\n {2}- (\S+)$/mu.exec(readFileSync(join(folder, 'fusewire.yaml'), 'utf8')) ?? []
    const { server, url } = await serve()
    await using _ = server
    expect(await run(['drain', '--url', url])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('(api_key_required)'),
    })
    const { code, out } = await run(['drain', '--no-wait', '--url', url, '--api-key', apiKey])
    expect({ code, lines: lines(out) }).toEqual({ code: 0, lines: [expect.objectContaining({ event: 'draining' })] })
    expect(await server.exit()).toBe(0)
    const again = await run(['drain', '--url', url, '--api-key', apiKey])
    expect(again).toMatchObject({ code: 1, out: '', err: expect.stringContaining(`Nothing listens at ${url}`) })
  })
})

describe('SIGTERM while the server starts', () => {
  it.each([0, 200, 400, 600, 900, 1300, 1800])('after %d ms ends it, and leaves nothing behind', async (ms) => {
    await using server = start(['serve', '--development', '--port', '0', '--log-format', 'json'])
    await new Promise((resolve) => setTimeout(resolve, ms))
    server.signal('SIGTERM')
    // Before the program has been loaded the signal itself is the end.
    expect([0, 'SIGTERM']).toContain(await server.exit())
    expect(server.err).not.toMatch(/defect|Error/u)
  })
})

describe('an old Node', () => {
  it('is told so in one line', async () => {
    const old = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.0' } })`
    const { code, out, err } = await runFusewire(['--version'], { folder, nodeFlags: ['--import', old] })
    expect(err).toMatch(/^Fusewire needs Node 22\.12 or newer; this is v.*\n$/u)
    expect({ code, out }).toEqual({ code: 1, out: '' })
  })
})
