import { DEFAULT_RULE } from '@fusewire/engine'
import { describe, expect, it } from 'vitest'
import { ConfigurationError } from './configuration-error.ts'
import type { FusewireInput } from './options.ts'
import { resolveOptions, resolveRule } from './resolve-options.ts'

const SECRET = 'a secret of at least thirty-two bytes'
const BASE = { jwtSecret: SECRET }

const problemsOf = (input: object, nodeEnv?: string): string[] => {
  try {
    resolveOptions(input as FusewireInput, { nodeEnv })
    return []
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return error.message.split('\n')
  }
}

describe('resolveOptions', () => {
  it('fills in the defaults', () => {
    expect(resolveOptions(BASE)).toMatchObject({
      host: '0.0.0.0',
      port: 8443,
      tls: true,
      development: false,
      logFormat: 'json',
      pingIntervalMs: 25_000,
      pongTimeoutMs: 5000,
      maxMessageBytes: 65_536,
      rules: [],
    })
    expect(resolveOptions(BASE)).not.toHaveProperty('cleartextPort')
  })

  it('stays on this machine and prints for people in development', () => {
    expect(resolveOptions({ development: true }, { nodeEnv: undefined })).toMatchObject({
      host: '127.0.0.1',
      logFormat: 'pretty',
    })
  })

  it('takes undefined as left out', () => {
    expect(resolveOptions({ ...BASE, port: undefined, jwksUrl: undefined })).toMatchObject({ port: 8443 })
    expect(problemsOf({ jwtSecret: undefined })).toHaveLength(1)
  })

  it("gives rules the engine's defaults", () => {
    const { rules } = resolveOptions({ ...BASE, rules: [{ pattern: 'chat:*', publish: 'user' }] })
    expect(rules).toEqual([{ ...DEFAULT_RULE, pattern: 'chat:*', publish: 'user' }])
    expect(resolveRule({ pattern: 'x' })).toEqual({ ...DEFAULT_RULE, pattern: 'x' })
  })

  it('reports everything at once', () => {
    expect(problemsOf({ ...BASE, pingIntervalMs: '25s', port: -1, tsl: true })).toEqual([
      'port: is at least 0, not -1',
      'pingIntervalMs: is a number of milliseconds: write 25000, not "25s"',
      'tsl: is not an option; did you mean tls?',
    ])
  })
})

describe('a wrong option', () => {
  it.each([
    [{ pingIntervalMs: '25s' }, 'pingIntervalMs: is a number of milliseconds: write 25000, not "25s"'],
    [{ pingIntervalMs: '25000' }, 'pingIntervalMs: is a number of milliseconds: write 25000, not "25000"'],
    [{ pingIntervalMs: 25 }, 'pingIntervalMs: is at least 100 milliseconds, not 25; for 25 seconds write 25000'],
    [{ pingIntervalMs: 1e9 }, 'pingIntervalMs: is at most 3600000 milliseconds, not 1000000000'],
    [{ pingIntervalMs: 'soon' }, 'pingIntervalMs: is a number of milliseconds, not "soon"'],
    [{ pingIntervalMs: null }, 'pingIntervalMs: has no value: give it one, or leave it out'],
    [{ pingIntervalMs: Number.NaN }, 'pingIntervalMs: is a number of milliseconds, not NaN'],
    [{ maxMessageBytes: '64KB' }, 'maxMessageBytes: is a number of bytes: write 65536, not "64KB"'],
    [{ maxMessageBytes: 64.5 }, 'maxMessageBytes: is a number of bytes: write 65, not 64.5'],
    [{ maxChannelsPerSession: '12' }, 'maxChannelsPerSession: is a whole number: write 12, not "12"'],
    [{ workers: 0 }, 'workers: is at least 1, not 0'],
    [{ workers: 257 }, 'workers: is at most 256, not 257'],
    [{ workers: 1.5 }, 'workers: is a whole number: write 2, not 1.5'],
    [{ workers: 'x' }, 'workers: is a whole number, or auto, not "x"'],
    [{ workers: 'Auto' }, 'workers: is a whole number, or auto, not "Auto"; did you mean auto?'],
    [{ workers: null }, 'workers: has no value: give it one, or leave it out'],
    [{ pingInterval: 25 }, 'pingInterval: is not an option; did you mean pingIntervalMs?'],
    [{ database: 'x' }, 'database: is not an option; see docs/configuration.md for the list'],
    [{ tls: 'yes' }, 'tls: is true or false, not "yes"'],
    [
      { logLevel: 'warning' },
      'logLevel: is one of trace, debug, info, warn, error, fatal, silent, not "warning"; did you mean warn?',
    ],
    [{ transports: [] }, 'transports: is empty: name at least one, or leave it out'],
    [{ transports: 'sse' }, 'transports: is a list: write [sse], not "sse"'],
    [
      { transports: ['websockets'] },
      'transports[0]: is one of websocket, websocket-h2, sse, stream, poll, tcp, not "websockets"; did you mean websocket?',
    ],
    [{ jwtIssuer: 12 }, 'jwtIssuer: is a text: put it into quotes, "12"'],
    [{ jwtIssuer: '' }, 'jwtIssuer: is empty: give a value, or leave it out'],
    [{ rules: [{ presence: true }] }, 'rules[0].pattern: is missing'],
    [{ rules: [{ pattern: 'a', publsh: 'user' }] }, 'rules[0].publsh: is not an option; did you mean publish?'],
    [
      { rules: [{ pattern: 'a', publish: 'users' }] },
      'rules[0].publish: is one of anyone, user, owner, nobody, not "users"; did you mean user?',
    ],
    [
      { rules: [{ pattern: 'a', historyTtlMs: '5m' }] },
      'rules[0].historyTtlMs: is a number of milliseconds: write 300000, not "5m"',
    ],
    [{ rules: { 'chat:*': {} } }, 'rules: is a list, not {"chat:*":{}}'],
    [{ rules: ['chat:*'] }, 'rules[0]: is a set of options, not "chat:*"'],
    [
      { rules: [{ pattern: 'a' }, { pattern: 'b' }, { pattern: 'a' }] },
      'rules[2].pattern: rules[0] has the same pattern and comes first; remove one of them',
    ],
    [
      { rules: [{ pattern: 'a', slowConsumer: 'latest', state: true }] },
      'rules[0].slowConsumer: latest passes over publications, and a client of a state channel that misses one has another document; leave it out, or state',
    ],
    [
      { rules: [{ pattern: 'a', recovery: 'latest', state: true }] },
      'rules[0].recovery: a client of a state channel needs every change that it has missed: leave it out, or state',
    ],
    [
      { rules: [{ pattern: 'a' }, { pattern: 'b', conflationTag: 'symbol' }] },
      'rules[1].conflationTag: has no meaning without slowConsumer: latest; set that too, or leave it out',
    ],
  ])('%j is explained', (input, message) => {
    expect(problemsOf({ ...BASE, ...input })).toEqual([message])
  })

  it('never shows a secret', () => {
    const text = [
      ...problemsOf({ jwtSecret: 'hunter2' }),
      ...problemsOf({ ...BASE, apiKeys: 'hunter2' }),
      ...problemsOf({ ...BASE, apiKeys: ['hunter2'] }),
      ...problemsOf({ ...BASE, apiKeys: [22_222_222] }),
      ...problemsOf({ jwtSecret: 22_222_222 }),
    ].join('\n')
    expect(text.split('\n')).toHaveLength(5)
    expect(text).not.toMatch(/hunter2|2222/u)
  })
})

describe('options that do not go together', () => {
  it('refuses a server that no client could use', () => {
    expect(problemsOf({})).toEqual([
      'no client could connect: set jwtSecret, jwtPublicKeyFile or jwksUrl to accept tokens, hooks to ask a backend, allowAnonymous: true to go without, or development: true to try things out on this machine',
    ])
    expect(problemsOf({ allowAnonymous: true })).toEqual([])
    expect(problemsOf({ development: true })).toEqual([])
    expect(problemsOf({ jwksUrl: 'https://id.example.com/keys' })).toEqual([])
  })

  it('refuses development mode in production', () => {
    expect(problemsOf({ development: true }, 'production')).toEqual([
      expect.stringMatching(/^development: .*NODE_ENV is production/u),
    ])
  })

  it.each(['0.0.0.0', '::', '192.168.1.5', 'chat.example.com', '127.evil.example'])('refuses development mode on %s', (host) => {
    expect(problemsOf({ development: true, host })).toEqual([
      expect.stringMatching(/^development: .*developmentOnAllInterfaces/u),
    ])
    expect(problemsOf({ development: true, host, developmentOnAllInterfaces: true })).toEqual([])
  })

  it.each(['127.0.0.1', '127.0.0.2', '::1', 'localhost'])('takes development mode on %s', (host) => {
    expect(problemsOf({ development: true, host })).toEqual([])
  })

  it.each([
    [{ tls: false }, /^tls: there is nothing to listen on.*cleartextPort/u],
    [{ cleartextPort: 8443 }, /^cleartextPort: port is 8443 as well/u],
    [{ tlsKeyFile: 'k.pem' }, /^tlsKeyFile: a key without its certificate: set tlsCertFile/u],
    [{ tlsCertFile: 'c.pem' }, /^tlsCertFile: a certificate without its key: set tlsKeyFile/u],
    [{ tls: false, cleartextPort: 0, tlsClientCaFile: 'ca.pem' }, /^tlsClientCaFile: client certificates need TLS/u],
    [{ jwksUrl: 'id.example.com' }, /^jwksUrl: is not a URL/u],
    [{ jwksUrl: 'http://id.example.com/keys' }, /^jwksUrl: .*https/u],
    [{ jwtAlgorithms: ['ES256'] }, /^jwtAlgorithms: ES256 needs jwtPublicKeyFile or jwksUrl/u],
    [{ drainTimeoutMs: 3000 }, /^drainTimeoutMs: is 3000, less than drainDelayMs and drainWindowMs together \(0 \+ 5000\)/u],
    [{ drainDelayMs: 6000 }, /^drainTimeoutMs: is 10000, .*\(6000 \+ 5000\).*raise it or lower them/u],
    [{ maxBufferedBytes: 2048 }, /^maxBufferedBytes: is less than maxMessageBytes \(65536\)/u],
    [{ allowedOrigins: ['app.example.com'] }, /write https:\/\/app\.example\.com, not "app\.example\.com"/u],
    [{ allowedOrigins: ['http://localhost:3000/'] }, /write http:\/\/localhost:3000, not/u],
    [{ allowedOrigins: ['https://*'] }, /^allowedOrigins\[0\]: /u],
  ])('%j is explained', (input, message) => {
    expect(problemsOf({ ...BASE, ...input })).toEqual([expect.stringMatching(message)])
  })

  it('takes origins with a port, a wildcard host and any', () => {
    const allowedOrigins = [
      'https://app.example.com',
      'https://*.example.com:8443',
      'http://localhost:3000',
      'http://[::1]:8080',
      '*',
    ]
    expect(problemsOf({ ...BASE, allowedOrigins })).toEqual([])
  })

  it('takes certificate files, and keys over http, in development', () => {
    const files = { tlsCertFile: 'c.pem', tlsKeyFile: 'k.pem', jwksUrl: 'http://127.0.0.1:9000/keys' }
    expect(problemsOf({ development: true, ...files })).toEqual([])
  })
})
