import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { ConfigurationError } from '../configuration-error.ts'
import { OPTION_DESCRIPTIONS, type OptionDescription } from '../describe-options.ts'
import type { FusewireInput } from '../options.ts'
import { resolveOptions } from '../resolve-options.ts'
import { environmentSource } from './environment-source.ts'
import { flagSource } from './flag-source.ts'
import { resolveSources } from './resolve-sources.ts'
import type { Source } from './source.ts'
import { yamlSource } from './yaml-source.ts'

type Values = Record<string, unknown>

const access = fc.constantFrom('anyone', 'user', 'owner', 'nobody')

const rule = fc.record(
  { pattern: fc.string({ minLength: 1, maxLength: 20 }), historySize: fc.nat(1000), presence: fc.boolean(), publish: access },
  { requiredKeys: ['pattern'] },
)

const item = fc.string({ minLength: 1, maxLength: 40 }).map((text) => text.trim() || 'x')

const SPECIAL: Record<string, fc.Arbitrary<unknown>> = {
  jwtSecret: fc.string({ minLength: 32, maxLength: 64 }),
  apiKeys: fc.array(fc.stringMatching(/^[\x21-\x7e]{16,30}$/u), { maxLength: 3 }),
  jwksUrl: fc.constantFrom('https://id.example.com/keys', 'https://localhost:1/a,b'),
  allowedOrigins: fc.array(fc.constantFrom('*', 'https://a.example', 'https://*.b.example:8443'), { maxLength: 3 }),
  trustedProxies: fc.array(fc.constantFrom('10.0.0.7', '10.0.0.0/8', 'fd00::/8'), { maxLength: 3 }),
  broker: fc.constantFrom(
    ['memory'],
    ['redis://127.0.0.1:6379'],
    ['rediss://user:pass%2Cword@redis.example/2'],
    ['nats://a.example:4222', 'nats://b.example:4222'],
  ),
  hooks: fc.constantFrom(
    [],
    [{ url: 'https://a.example/b?c=d,e', events: ['connect'] }],
    [
      { url: 'http://localhost:1', events: ['publish', 'disconnect'], channels: 'chat:*' },
      { url: 'https://a.example', events: ['publish', 'disconnect'] },
    ],
  ),
  hookSecrets: fc.array(
    fc.uint8Array({ minLength: 24, maxLength: 64 }).map((key) => `whsec_${Buffer.from(key).toString('base64')}`),
    { maxLength: 2 },
  ),
  rules: fc.uniqueArray(rule, { maxLength: 3, selector: ({ pattern }) => pattern }),
}

/** Any value that the option takes on its own. */
const valid = (option: OptionDescription): fc.Arbitrary<unknown> => {
  const special = SPECIAL[option.name]
  if (special) return special
  if (option.kind === 'boolean') return fc.boolean()
  if (option.kind === 'integer') {
    const number = fc.integer({ min: option.minimum ?? 0, max: option.maximum ?? 0 })
    return option.word === undefined ? number : fc.oneof(number, fc.constant(option.word))
  }
  const value = option.values ? fc.constantFrom(...option.values) : option.path ? fc.stringMatching(/^\/[\w ,-]{1,20}$/u) : item
  return option.kind === 'list' ? fc.array(value, { minLength: 1, maxLength: 3 }) : value
}

const anyInput: fc.Arbitrary<Values> = fc.record(
  Object.fromEntries(OPTION_DESCRIPTIONS.map((option) => [option.name, valid(option)])),
  { requiredKeys: [] },
)

const asText = (value: unknown): string => {
  if (!Array.isArray(value)) return String(value)
  const plain = value.every((one) => typeof one === 'string' && !/[,[\s]/u.test(one))
  return plain ? value.join(', ') : JSON.stringify(value)
}

const described = (name: string) => OPTION_DESCRIPTIONS.find((option) => option.name === name)

const throughYaml = (values: Values): Source => yamlSource(stringify(values), 'fusewire.yaml', '/etc/fusewire')
const throughEnvironment = (values: Values): Source =>
  environmentSource(
    Object.fromEntries(Object.entries(values).map(([name, value]) => [described(name)?.environment, asText(value)])),
  )
const throughFlags = (values: Values): Source =>
  flagSource(Object.fromEntries(Object.entries(values).map(([name, value]) => [name, asText(value)])))

/** The resolved options, or what is wrong with them wherever they come from. */
const outcome = (resolve: () => unknown): unknown => {
  try {
    return resolve()
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return error.problems.map(({ option, message }) => ({ option, message }))
  }
}

describe('the sources', () => {
  it('say the same of any options, right or wrong, as the program that passes them', () => {
    fc.assert(
      fc.property(anyInput, (values) => {
        const direct = outcome(() => resolveOptions(values as FusewireInput, { nodeEnv: undefined }))
        for (const through of [throughYaml, throughEnvironment, throughFlags])
          expect(outcome(() => resolveSources([through(values)], undefined))).toEqual(direct)
      }),
      { numRuns: 200 },
    )
  }, 30_000)

  const base = {
    allowAnonymous: true,
    jwtSecret: 'a secret of at least thirty-two bytes',
    jwtPublicKeyFile: '/key',
    cleartextPort: 1,
    maxMessageBytes: 256,
    maxBufferedBytes: 67_108_864,
  }
  const pairs: Record<string, Values> = {
    redisMode: { broker: ['redis://127.0.0.1:6379'] },
    tlsCertFile: { tlsKeyFile: '/k' },
    tlsKeyFile: { tlsCertFile: '/c' },
    development: { host: 'localhost' },
    cleartextPort: { tls: false },
    maxBufferedBytes: { maxMessageBytes: 256 },
    hooks: { hookSecrets: [`whsec_${'A'.repeat(32)}`] },
    drainDelayMs: { drainWindowMs: 0, drainTimeoutMs: 86_400_000 },
    drainWindowMs: { drainTimeoutMs: 86_400_000 },
    drainTimeoutMs: { drainWindowMs: 0 },
  }

  it.each(OPTION_DESCRIPTIONS.map((option) => [option.name, option] as const))('carry every valid %s', (name, option) => {
    fc.assert(
      fc.property(valid(option), (value) => {
        const port = name === 'port' && value === base.cleartextPort
        const values = { ...base, ...pairs[name], ...(port ? { tls: false } : {}), [name]: value }
        for (const through of [throughYaml, throughEnvironment, throughFlags])
          expect(resolveSources([through(values)], undefined)).toMatchObject(values)
      }),
      { numRuns: 25 },
    )
  })

  it('are laid over one another, the first being the strongest', () => {
    const flags = flagSource({ port: '1' })
    const environment = environmentSource({ FUSEWIRE_PORT: '2', FUSEWIRE_PONG_TIMEOUT_MS: '2000' })
    const file = yamlSource('port: 3\npongTimeoutMs: 3000\nsessionTtlMs: 3000\nallowAnonymous: true', 'f', '/')
    expect(resolveSources([flags, environment, file])).toMatchObject({
      port: 1,
      pongTimeoutMs: 2000,
      sessionTtlMs: 3000,
      connectTimeoutMs: 10_000,
    })
  })

  it('are named in every message, all of them at once', () => {
    const flags = flagSource({ port: 'http', rules: '[' })
    const environment = environmentSource({ FUSEWIRE_PONG_TIMEOUT_MS: '5s', FUSEWIRE_PONG_TIMEOUT: '5' })
    const file = yamlSource(
      'allowAnonymous: true\nsessionTtlMs: 1m\nrules:\n  - pattern: a\n  - pattern: b\n    publsh: user\nmaxDeph: 3\n',
      'conf/fusewire.yaml',
      '/',
    )
    expect(() => resolveSources([flags, environment, file])).toThrow(
      [
        'rules (--rules): is a JSON list, such as [{"pattern":"chat:*","presence":true,"publish":"user"}]',
        'FUSEWIRE_PONG_TIMEOUT: is not an option; did you mean FUSEWIRE_PONG_TIMEOUT_MS?',
        'port (--port): is a whole number, not "http"',
        'rules[1].publsh (conf/fusewire.yaml:6:5): is not an option; did you mean publish?',
        'pongTimeoutMs (FUSEWIRE_PONG_TIMEOUT_MS): is a number of milliseconds: write 5000, not "5s"',
        'sessionTtlMs (conf/fusewire.yaml:2:1): is a number of milliseconds: write 60000, not "1m"',
        'maxDeph (conf/fusewire.yaml:7:1): is not an option; did you mean maxDepth?',
      ].join('\n'),
    )
  })
})

describe('yamlSource', () => {
  const problemsOf = (text: string) => yamlSource(text, 'fusewire.yaml', '/').problems

  it.each([
    ['port: 1\nport: 2\n', 'fusewire.yaml:2:1', /unique/u],
    ['port: "1\nhost: x\n', 'fusewire.yaml:3:1', /quote/iu],
    ['rules: [a\nport: 1\n', 'fusewire.yaml:2:1', /./u],
    ['port: 1\n\thost: x\n', 'fusewire.yaml:2:1', /tab/iu],
    ['just a text\n', 'fusewire.yaml:1:1', /must be options/u],
    ['- port: 1\n', 'fusewire.yaml:1:1', /must be options/u],
  ])('says where %j is wrong', (text, where, message) => {
    expect(problemsOf(text)[0]).toEqual({ where, message: expect.stringMatching(message) })
  })

  it('takes an empty file and one of comments only', () => {
    for (const text of ['', '\n', '# port: 1\n', '---\n']) {
      expect(problemsOf(text)).toEqual([])
      expect(yamlSource(text, 'f', '/').values).toEqual({})
    }
  })

  it('takes files and folders relative to the folder of the file', () => {
    const source = yamlSource('tlsCertFile: tls.crt\ntlsKeyFile: /abs/tls.key\ncertificateDir: ../dev', 'f', '/etc/fusewire')
    expect(source.values).toEqual({
      tlsCertFile: '/etc/fusewire/tls.crt',
      tlsKeyFile: '/abs/tls.key',
      certificateDir: '/etc/dev',
    })
  })

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.json(), fc.stringMatching(/^[-a:[\]{}&*!|>'"%@`\n\t #]{0,40}$/u)),
        (text) => {
          const source = yamlSource(text, 'f', '/')
          for (const name of Object.keys(source.values)) source.where(name)
          outcome(() => resolveSources([source]))
        },
      ),
    )
  }, 30_000)
})

describe('environmentSource', () => {
  it('leaves the variables of others alone', () => {
    const source = environmentSource({ PATH: '/bin', FUSEWIRE_URL: 'https://x', FUSEWIREX: '1' }, ['FUSEWIRE_URL'])
    expect(source).toMatchObject({ values: {}, problems: [] })
  })

  it('names the nearest of all known variables', () => {
    const { problems } = environmentSource({ FUSEWIRE_URLS: 'https://x', FUSEWIRE_PROT: '1', FUSEWIRE_DB: 'x' }, ['FUSEWIRE_URL'])
    expect(problems.map(({ message }) => message)).toEqual([
      'is not an option; did you mean FUSEWIRE_URL?',
      'is not an option; did you mean FUSEWIRE_PORT?',
      'is not an option; see docs/configuration.md for the list',
    ])
  })

  it('ignores the service links of Kubernetes', () => {
    const source = environmentSource({
      FUSEWIRE_PORT: 'tcp://10.0.0.1:8443',
      FUSEWIRE_PORT_8443_TCP: 'tcp://10.0.0.1:8443',
      FUSEWIRE_PORT_8443_TCP_ADDR: '10.0.0.1',
      FUSEWIRE_SERVICE_HOST: '10.0.0.1',
      FUSEWIRE_SERVICE_PORT: '8443',
      FUSEWIRE_SERVICE_PORT_HTTPS: '8443',
    })
    expect(source).toMatchObject({ values: {}, problems: [] })
  })

  it('reads an empty list, and refuses other empty values', () => {
    const source = environmentSource({
      FUSEWIRE_ALLOWED_ORIGINS: '',
      FUSEWIRE_RULES: '',
      FUSEWIRE_PORT: '',
      FUSEWIRE_JWT_SECRET: '',
    })
    expect(source.values).toMatchObject({ allowedOrigins: [], rules: [] })
    expect(() => resolveSources([source])).toThrow(/port \(FUSEWIRE_PORT\).*\n.*jwtSecret \(FUSEWIRE_JWT_SECRET\)/u)
  })
})

describe('flagSource', () => {
  it('adds up the flags of a list, and takes switches', () => {
    const { values } = flagSource({
      transports: ['sse,poll', '["tcp"]'],
      rules: ['[{"pattern":"a"}]', '[{"pattern":"b"}]'],
      tls: false,
      metrics: 'false',
    })
    expect(values).toEqual({
      transports: ['sse', 'poll', 'tcp'],
      rules: [{ pattern: 'a' }, { pattern: 'b' }],
      tls: false,
      metrics: false,
    })
  })
})
