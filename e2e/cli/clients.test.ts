import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { runFusewire } from '../fusewire-command.ts'
import { FusewireProcess } from '../fusewire-process.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import { commandFolder, lines } from './command-folder.ts'

// Each test starts several processes.
vi.setConfig({ testTimeout: 120_000 })

describe('the clients', () => {
  let server: FusewireProcess
  /** What tells a client where the server is, and to trust it. */
  let environment: Record<string, string>
  beforeAll(async () => {
    server = await FusewireProcess.start({ ...DEVELOPMENT, rules: [{ pattern: 'device:*', state: true }] })
    environment = { FUSEWIRE_URL: server.https, FUSEWIRE_CA: server.certificateFile }
  })
  afterAll(() => server.stop())

  it('trust the development certificate of the folder, a file, or anyone, but nobody else', async () => {
    const { folder, run } = commandFolder()
    const own = dirname(dirname(server.certificateFile))
    const info = (...args: string[]) => run(['info', '--url', server.https, ...args])
    expect(await runFusewire(['info', '--url', server.https], { folder: own })).toMatchObject({ code: 0, err: '' })
    expect(await info('--ca', relative(folder, server.certificateFile))).toMatchObject({ code: 0, err: '' })
    expect(await info('--insecure')).toMatchObject({ code: 0, err: expect.stringContaining('is not checked (--insecure)') })
    expect(await info()).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/comes from nobody who is trusted here.*--ca/u),
    })
    expect(await info('--ca', 'nowhere.pem')).toMatchObject({ code: 2, err: expect.stringContaining('nowhere.pem (ENOENT)') })
  })

  it('publish lines of the standard input, and subscribe ends after --count', async () => {
    const { start, run } = commandFolder()
    await using subscriber = start(['subscribe', 'logs', '--count', '3'], environment)
    await subscriber.until('err', /^Subscribed to logs/mu)
    const published = await run(['publish', 'logs', '--lines'], environment, 'one\n{"two":2}\n\n3\n')
    expect(published.code).toBe(0)
    expect(lines(published.out)).toHaveLength(3)
    expect(await subscriber.exit()).toBe(0)
    expect(lines(subscriber.out).map((line) => (line as { data: unknown }).data)).toEqual(['one', { two: 2 }, 3])
  })

  it('change nothing when an idempotency key is used again', async () => {
    const { run } = commandFolder()
    const publish = () => run(['publish', 'news', 'hello', '--key', 'k1'], environment)
    const [first, second] = [await publish(), await publish()].map(({ out }) => lines(out)[0])
    expect(first).toMatchObject({ duplicate: false })
    expect(second).toEqual({ ...(first as object), duplicate: true })
  })

  it('catch up from a position', async () => {
    const { run } = commandFolder()
    const { out } = await run(['publish', 'news', '--lines'], environment, 'a\nb\nc\n')
    const [{ position }] = lines(out) as [{ position: { epoch: string; offset: number } }]
    const since = `${position.epoch}:${position.offset}`
    const caught = await run(['subscribe', 'news', '--since', since, '--count', '2'], environment)
    expect(lines(caught.out)).toEqual([expect.objectContaining({ data: 'b' }), expect.objectContaining({ data: 'c' })])
    expect(caught.code).toBe(0)
  })

  it.each(['websocket', 'stream', 'poll'])('subscribe over %s', async (transport) => {
    const { start, run } = commandFolder()
    await using subscriber = start(['subscribe', 'news', '--count', '1', '--transport', transport], environment)
    await subscriber.until('err', new RegExp(`^Subscribed to news over ${transport}`, 'mu'))
    await run(['publish', 'news', 'hello'], environment)
    expect(await subscriber.exit()).toBe(0)
    expect(lines(subscriber.out)).toEqual([expect.objectContaining({ data: 'hello' })])
  })

  it('patch a document, print it, and leave it alone when it has changed since', async () => {
    const { run } = commandFolder()
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
    const { run, serve } = commandFolder()
    expect((await run(['init'])).code).toBe(0)
    const { server, url } = await serve('--rules', '[{"pattern":"private","subscribe":"nobody"}]')
    await using _ = server
    const environment = { FUSEWIRE_URL: url }
    expect(await run(['subscribe', 'chat:lobby'], environment)).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/\(token_required\)\. Give one with --token or FUSEWIRE_TOKEN/u),
    })
    expect(await run(['subscribe', 'chat:lobby', '--token', 'a.b.c'], environment)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/\(token_invalid\)\. Where the server has a jwtSecret, "fusewire token/u),
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
    expect(await run(['subscribe', 'private', '--token', nobody], environment)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/\(permission_denied\)\. A rule of the channel, or a token with --cap/u),
    })
    expect(await run(['subscribe', 'no white space', '--token', nobody], environment)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^A channel name has .*\(invalid_channel\)/mu),
    })
  })

  it('end quietly when nobody reads what they print', async () => {
    const { start, run } = commandFolder()
    await using subscriber = start(['subscribe', 'news'], environment)
    await subscriber.until('err', /^Subscribed/mu)
    subscriber.closeOutput()
    await run(['publish', 'news', 'hello'], environment)
    expect(await subscriber.exit()).toBe(0)
    expect(subscriber.err).not.toMatch(/EPIPE|defect/u)
  })
})

describe('drain', () => {
  it('has a server leave, says how many are left, and waits until it has gone', async () => {
    const { start, run, serve } = commandFolder()
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
      // With no other server to go to, those that were told come back until it listens no more: which numbers it sees is chance.
      expect(drained.err).toMatch(/^((1 connection|[023] connections) left\n)+$/u)
      expect(await server.exit()).toBe(0)
    } finally {
      for (const subscriber of subscribers) await subscriber[Symbol.asyncDispose]()
    }
  })

  it('does not wait when it is not to, and says what is wrong', async () => {
    const { folder, run, serve } = commandFolder()
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
