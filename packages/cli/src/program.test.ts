import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { OPTION_DESCRIPTIONS } from '@fusewire/server/configuration'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { completeCommand } from './commands.ts'
import { createProgram, run } from './program.ts'
import { MemoryTerminal } from './testing/memory-terminal.ts'
import { VERSION } from './version.ts'

const SECRET = 'a secret of at least thirty-two bytes'

/** A port that nothing listens on any more. */
const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const COMMANDS = [
  'serve',
  'check-config',
  'init',
  'token',
  'publish',
  'subscribe',
  'state',
  'disconnect',
  'unsubscribe',
  'refresh',
  'revoke',
  'info',
  'drain',
  'help',
]

const text = (lines: readonly string[]): string => lines.join('\n')

describe('fusewire', () => {
  it('prints its version', async () => {
    using terminal = new MemoryTerminal()
    expect(await run(['--version'], terminal)).toBe(0)
    expect(terminal.out).toEqual([VERSION])
  })

  it('prints help, on the error stream when there is no command', async () => {
    using terminal = new MemoryTerminal()
    expect(await run(['--help'], terminal)).toBe(0)
    for (const command of COMMANDS) expect(text(terminal.out)).toContain(`  ${command} `)
    expect(text(terminal.out)).toContain('Exit codes:')
    expect(await run([], terminal)).toBe(2)
    expect(text(terminal.err)).toContain('Usage: fusewire')
  })

  it.each(COMMANDS)('%s has help with examples', async (command) => {
    using terminal = new MemoryTerminal()
    expect(await run([command, '--help'], terminal)).toBe(0)
    expect(text(terminal.out)).toMatch(new RegExp(`Examples:\n  \\$ .*fusewire ${command}`, 'u'))
  })

  it.each(COMMANDS)('help %s prints the same as its flag --help', async (command) => {
    using asked = new MemoryTerminal()
    using flagged = new MemoryTerminal()
    expect(await run(['help', command], asked)).toBe(0)
    await run([command, '--help'], flagged)
    expect(asked.out).toEqual(flagged.out)
    expect(text(asked.out)).toContain(`Usage: fusewire ${command}`)
  })

  it('serve has a flag for every option, in the sections of the documentation', async () => {
    using terminal = new MemoryTerminal()
    await run(['serve', '--help'], terminal)
    for (const { flag, section, default: initial } of OPTION_DESCRIPTIONS) {
      expect(text(terminal.out)).toContain(`\n${section}:`)
      expect(text(terminal.out)).toContain(initial === true ? `--no-${flag.slice(2)}` : flag)
    }
  })

  it.each(OPTION_DESCRIPTIONS.map((option) => [option.flag, option] as const))(
    'serve and check-config read %s',
    async (flag, { name, kind }) => {
      using terminal = new MemoryTerminal()
      for (const command of createProgram(terminal).commands.filter((one) => ['serve', 'check-config'].includes(one.name()))) {
        await completeCommand(command, terminal)
        const several = kind === 'list' || kind === 'records'
        command.parseOptions([`${flag}=x`, `${flag}=y`])
        expect(command.opts()).toEqual({ [name]: several ? ['x', 'y'] : 'y' })
        if (kind !== 'boolean') continue
        command.parseOptions([flag])
        expect(command.opts()).toEqual({ [name]: true })
        command.parseOptions([`--no-${flag.slice(2)}`])
        expect(command.opts()).toEqual({ [name]: false })
      }
    },
  )

  it.each([
    [['srve'], "Unknown command 'srve'. Did you mean serve? See fusewire --help."],
    [['config'], "Unknown command 'config'. Did you mean check-config? See fusewire --help."],
    [['frobnicate'], "Unknown command 'frobnicate'. See fusewire --help."],
    [['frobnicate', '--help'], "Unknown command 'frobnicate'. See fusewire --help."],
    [['help', 'srve'], "Unknown command 'srve'. Did you mean serve? See fusewire --help."],
    [['serve', '--prot', '1'], "Unknown option '--prot'. Did you mean --port? See fusewire serve --help."],
    [
      ['serve', '--ping-interval=25'],
      "Unknown option '--ping-interval=25'. Did you mean --ping-interval-ms? See fusewire serve --help.",
    ],
    [['serve', '--no-metric'], "Unknown option '--no-metric'. Did you mean --no-metrics? See fusewire serve --help."],
    [['serve', 'now'], "Too many arguments for 'serve'. Expected 0 arguments but got 1: now. See fusewire serve --help."],
    [['publish'], "Missing required argument 'channel'. See fusewire publish --help."],
    [['publish', 'news', 'x', '--tag', 'a'], /Write name=value\. See fusewire publish --help\.$/u],
    [['token', '--ttl', '60'], /Write 90s, 15m, 1h, 30d or never\. See fusewire token --help\.$/u],
    [['token', '--user'], /argument missing\. See fusewire token --help\.$/u],
    [['subscribe', 'news', '--since', 'x'], /Write epoch:offset\./u],
    [['revoke'], 'Which tokens? Give --token-id for one, or --user for all of a user.'],
    [['revoke', '--token-id', 'a', '--issued-before', '2026-01-31'], /--issued-before belongs to --user/u],
    [['revoke', '--user', 'a', '--issued-before', 'noon'], /Write a time of ISO 8601/u],
    [['revoke', '--user', 'a', '--expires-in', 'never'], /A revocation ends at some time/u],
    [['disconnect'], 'Whom? Give --user for all sessions of a user, or --session for one.'],
    [['disconnect', '--user', 'a', '--session', 'b'], /--user .*cannot be used with .*--session/u],
    [['unsubscribe', '--user', 'a'], "Missing required argument 'channel'. See fusewire unsubscribe --help."],
    [['unsubscribe', 'news'], 'Whom? Give --user for all sessions of a user, or --session for one.'],
    [['refresh', '--user', 'a'], 'Until when? Give --expires-in, like 15m; 0s ends it now, never lets it go on.'],
    [['refresh', '--user', 'a', '--expires-in', '60'], /Write 90s, 15m, 1h, 30d or never/u],
    [['drain', '--node', 'a', '--user', 'b'], /--node .*cannot be used with .*--user/u],
    [['info', '--url', 'ftp://x'], /"ftp:\/\/x" is no address of a server; write it like https:\/\/localhost:8443/u],
  ])('%j says what is wrong and where to read on', async (args, message) => {
    using terminal = new MemoryTerminal()
    expect(await run(args, terminal)).toBe(2)
    expect(terminal.err).toHaveLength(1)
    if (typeof message === 'string') expect(terminal.err[0]).toBe(message)
    else expect(terminal.err[0]).toMatch(message)
  })
})

describe('check-config', () => {
  const check = async (args: string[], environment: Record<string, string> = {}, file?: string) => {
    using terminal = new MemoryTerminal({ environment })
    if (file !== undefined) writeFileSync(join(terminal.folder, 'fusewire.yaml'), file)
    const code = await run(['check-config', ...args], terminal)
    return { code, out: text(terminal.out), err: text(terminal.err) }
  }

  it('prints what is in force, without secrets', async () => {
    const { code, out, err } = await check(
      ['--port', '1', '--no-tls', '--cleartext-port=8080', '--transports', 'sse,poll', '--transports', 'tcp'],
      { FUSEWIRE_PORT: '2', FUSEWIRE_JWT_SECRET: SECRET, FUSEWIRE_URL: 'https://elsewhere' },
      `port: 3\npingIntervalMs: 9000\napiKeys: [0123456789abcdef]\n`,
    )
    expect(err).toBe('')
    expect(code).toBe(0)
    for (const line of [
      'port: 1',
      'tls: false',
      'pingIntervalMs: 9000',
      'transports: sse, poll, tcp',
      'jwtSecret: set',
      'apiKeys: 1 set',
      'jwksUrl: not set',
    ])
      expect(out).toContain(`  ${line}\n`)
    expect(out).toContain('The configuration can be used: fusewire.yaml.')
    expect(out).not.toMatch(/thirty-two|0123456789/u)
  })

  it('prints everything that is wrong, and where', async () => {
    const { code, out, err } = await check(
      ['--pong-timeout-ms', '5s'],
      { FUSEWIRE_PROT: '1', FUSEWIRE_JWT_SECRET: SECRET },
      'pingIntervalMs: "25s"\npingIntreval: 3\n',
    )
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err.split('\n')).toEqual([
      'The configuration cannot be used:',
      '  FUSEWIRE_PROT: is not an option; did you mean FUSEWIRE_PORT?',
      '  pingIntervalMs (fusewire.yaml:1:1): is a number of milliseconds: write 25000, not "25s"',
      '  pongTimeoutMs (--pong-timeout-ms): is a number of milliseconds: write 5000, not "5s"',
      '  pingIntreval (fusewire.yaml:2:1): is not an option; did you mean pingIntervalMs?',
    ])
  })

  it('warns of a port that browsers refuse, and ends well', async () => {
    const { code, out, err } = await check(['--development', '--port', '6000'])
    expect(code).toBe(0)
    expect(out).toContain('The configuration can be used')
    expect(err).toMatch(/^port: browsers and fetch refuse port 6000, .*; choose another one, unless a proxy stands before it$/u)
  })

  it('says where YAML is wrong', async () => {
    const { code, err } = await check([], {}, 'port: 1\nrules: [a\nhost: b\n')
    expect(code).toBe(2)
    expect(err).toMatch(/fusewire\.yaml:3:1: /u)
  })

  it('says so when the file that was named is not there', async () => {
    const { code, err } = await check(['--config', 'nowhere.yaml'])
    expect(code).toBe(2)
    expect(err).toMatch(/nowhere\.yaml does not exist; correct the path, or write one with "fusewire init"/u)
    expect((await check([], { FUSEWIRE_CONFIG: 'nowhere.yaml' })).err).toMatch(/nowhere\.yaml does not exist/u)
  })

  it('reads the files that are named', async () => {
    const { privateKey } = generateKeyPairSync('ed25519')
    using terminal = new MemoryTerminal()
    writeFileSync(join(terminal.folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
    writeFileSync(
      join(terminal.folder, 'conf.yaml'),
      'tlsCertFile: key.pem\ntlsKeyFile: key.pem\njwtPublicKeyFile: nowhere.pem\n',
    )
    expect(await run(['check-config', '-c', 'conf.yaml'], terminal)).toBe(2)
    expect(text(terminal.err)).toMatch(/tlsCertFile: .*are the two files swapped\?/u)
    expect(text(terminal.err)).toMatch(/jwtPublicKeyFile: .*nowhere\.pem does not exist/u)
  })

  it('refuses development in production', async () => {
    const { code, err } = await check(['--development'], { NODE_ENV: 'production' })
    expect(code).toBe(2)
    expect(err).toMatch(/development \(--development\): .*NODE_ENV is production/u)
  })

  it.each([
    ['--development', true],
    ['--development=true', true],
    ['--development=1', true],
    ['--no-development', false],
    ['--development=false', false],
  ])('takes %s over the file', async (flag, development) => {
    const { out } = await check([flag, '--allow-anonymous'], {}, `development: ${!development}\n`)
    expect(out).toContain(`  development: ${development}\n`)
  })
})

describe('check-config of addresses', () => {
  it('leaves their query out, which may carry a secret', async () => {
    using terminal = new MemoryTerminal()
    writeFileSync(
      join(terminal.folder, 'fusewire.yaml'),
      `jwksUrl: https://id.example.com/keys?key=hidden
hooks:
  - { url: "https://app.example.com/hooks?key=hidden", events: [connect] }
hookSecrets: [whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw]
`,
    )
    expect(await run(['check-config'], terminal)).toBe(0)
    expect(text(terminal.out)).toContain('jwksUrl: https://id.example.com/keys?…')
    expect(text(terminal.out)).toContain('hooks: https://app.example.com/hooks?… (events connect)')
    expect(text(terminal.out)).not.toContain('hidden')
  })
})

describe('init', () => {
  it('writes a file that can be used, names every option, and is for its owner only', async () => {
    using terminal = new MemoryTerminal()
    expect(await run(['init'], terminal)).toBe(0)
    const path = join(terminal.folder, 'fusewire.yaml')
    const file = readFileSync(path, 'utf8')
    for (const { name } of OPTION_DESCRIPTIONS) expect(file).toMatch(new RegExp(`^(# )?${name}:`, 'mu'))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await run(['check-config'], terminal)).toBe(0)
    expect(text(terminal.err)).toBe('')
  })

  it('writes no option that cannot be activated as it stands, but for the files that are not there', async () => {
    using terminal = new MemoryTerminal()
    await run(['init'], terminal)
    const path = join(terminal.folder, 'fusewire.yaml')
    // With the Redis that stands for `broker` these go not together: one is for the memory broker, the other for NATS.
    const names = OPTION_DESCRIPTIONS.map(({ name }) => name)
      .filter((name) => name !== 'snapshotFile' && name !== 'natsCredentialsFile')
      .join('|')
    // The name of an option, and the lines below it that are further in.
    const active = readFileSync(path, 'utf8').replaceAll(new RegExp(`^# (?:${names}):.*(?:\n# {2}.*)*`, 'gmu'), (lines) =>
      lines.replaceAll(/^# /gmu, ''),
    )
    writeFileSync(path, active)
    await run(['check-config'], terminal)
    const [, ...problems] = terminal.err
    expect(problems).toHaveLength(4)
    for (const problem of problems) expect(problem).toMatch(/ does not exist;/u)
  })

  it('makes new secrets each time', async () => {
    using terminal = new MemoryTerminal()
    await run(['init', 'a.yaml'], terminal)
    await run(['init', 'b.yaml'], terminal)
    const secrets = ['a.yaml', 'b.yaml'].map(
      (file) => /^jwtSecret: (\S{43})$/mu.exec(readFileSync(join(terminal.folder, file), 'utf8'))?.[1],
    )
    expect(secrets[0]).toBeDefined()
    expect(secrets[0]).not.toBe(secrets[1])
  })

  it('overwrites nothing unless told to', async () => {
    using terminal = new MemoryTerminal()
    writeFileSync(join(terminal.folder, 'fusewire.yaml'), 'mine')
    expect(await run(['init'], terminal)).toBe(2)
    expect(text(terminal.err)).toMatch(/is there already\. Overwrite it with --force, or name another file\./u)
    expect(readFileSync(join(terminal.folder, 'fusewire.yaml'), 'utf8')).toBe('mine')
    expect(await run(['init', '--force'], terminal)).toBe(0)
  })

  it('says so when the folder is not there', async () => {
    using terminal = new MemoryTerminal()
    expect(await run(['init', 'nowhere/fusewire.yaml'], terminal)).toBe(1)
    expect(text(terminal.err)).toMatch(/nowhere\/fusewire\.yaml cannot be written: its folder does not exist; make it/u)
  })
})

describe('token', () => {
  const token = async (args: string[], environment: Record<string, string> = { FUSEWIRE_JWT_SECRET: SECRET }) => {
    using terminal = new MemoryTerminal({ environment })
    const code = await run(['token', ...args], terminal)
    return { code, out: terminal.out, err: text(terminal.err) }
  }

  it('is signed with the secret of the configuration, and nothing else is printed', async () => {
    using terminal = new MemoryTerminal()
    await run(['init'], terminal)
    terminal.out.length = 0
    expect(await run(['token', '--user', 'alice'], terminal)).toBe(0)
    const [jwt = '', ...rest] = terminal.out
    expect(rest).toEqual([])
    expect(decodeProtectedHeader(jwt).alg).toBe('HS256')
    const { sub, iat = 0, exp = 0 } = decodeJwt(jwt)
    expect(sub).toBe('alice')
    expect(exp - iat).toBeGreaterThanOrEqual(3600)
    expect(exp - iat).toBeLessThanOrEqual(3601)
  })

  it('carries what is asked for, and the issuer and audience of the configuration', async () => {
    const environment = { FUSEWIRE_JWT_SECRET: SECRET, FUSEWIRE_JWT_ISSUER: 'me', FUSEWIRE_JWT_AUDIENCE: 'you' }
    const args = [
      '--user',
      'a',
      '--info',
      '{"name":"A"}',
      '--cap',
      'chat:*=subscribe,publish',
      '--cap',
      'x=*',
      '--subscribe',
      'news',
    ]
    const { out } = await token([...args, '--ttl', 'never'], environment)
    const claims = decodeJwt(out[0] ?? '')
    expect(claims).toEqual({
      sub: 'a',
      iss: 'me',
      aud: 'you',
      iat: expect.any(Number),
      info: { name: 'A' },
      caps: [
        { channels: ['chat:*'], allow: ['subscribe', 'publish'] },
        { channels: ['x'], allow: ['subscribe', 'publish', 'history', 'presence'] },
      ],
      channels: ['news'],
    })
  })

  it('may be for one channel', async () => {
    const { out } = await token(['--channel', 'private:42', '--ttl', '5m'])
    expect(decodeJwt(out[0] ?? '')).toMatchObject({ channel: 'private:42', exp: expect.any(Number) })
  })

  it('may be signed with a private key', async () => {
    using terminal = new MemoryTerminal()
    const { privateKey } = generateKeyPairSync('ed25519')
    writeFileSync(join(terminal.folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
    expect(await run(['token', '--user', 'a', '--private-key', 'key.pem', '--key-id', 'k1'], terminal)).toBe(0)
    expect(decodeProtectedHeader(terminal.out[0] ?? '')).toMatchObject({ alg: expect.stringMatching(/^Ed/u), kid: 'k1' })
  })

  it.each([
    [['--user', 'a'], {}, /nothing to sign with.*fusewire init/u],
    [[], undefined, /Whose token is it\? Give --user/u],
    [['--channel', 'x', '--cap', 'x=*'], undefined, /--cap and --subscribe belong to a token to connect with/u],
    [['--user', 'a', '--secret', 'short'], undefined, /^--secret: the secret has 5 bytes and needs at least 32; .*\.$/u],
    [['--user', 'a'], { FUSEWIRE_JWT_SECRET: 'short' }, /^jwtSecret \(FUSEWIRE_JWT_SECRET\): the secret has 5 bytes/u],
    [['--user', 'a', '--private-key', 'nowhere.pem'], undefined, /\/nowhere\.pem does not exist; correct the path\.$/u],
    [['--user', 'a', '--secret', SECRET, '--private-key', 'x'], undefined, /cannot be used with/u],
    [['--user', 'a', '--algorithm', 'RS256'], undefined, /^--algorithm: RS256 does not fit the key/u],
    [['--user', 'a', '--info', '{"name"'], undefined, /--info begins like JSON and is none/u],
    [['--user', 'a', '--subscribe', 'white space'], undefined, /channel/u],
  ])('refuses %j', async (args, environment, message) => {
    const { code, out, err } = await token(args, environment)
    expect({ code, out }).toEqual({ code: 2, out: [] })
    expect(err).toMatch(message)
  })
})

describe('token, of what it is signed with', () => {
  it('says where a secret of the configuration is written that is too short', async () => {
    using terminal = new MemoryTerminal()
    writeFileSync(join(terminal.folder, 'fusewire.yaml'), 'port: 1\njwtSecret: short\n')
    expect(await run(['token', '--user', 'a'], terminal)).toBe(2)
    expect(text(terminal.err)).toMatch(/^jwtSecret \(fusewire\.yaml:2:1\): the secret has 5 bytes/u)
  })

  it('says which file has no private key', async () => {
    using terminal = new MemoryTerminal()
    writeFileSync(join(terminal.folder, 'x.pem'), 'no key')
    expect(await run(['token', '--user', 'a', '--private-key', 'x.pem'], terminal)).toBe(2)
    expect(text(terminal.err)).toMatch(/^--private-key x\.pem: a private key begins with /u)
  })
})

describe('publish', () => {
  it.each([
    [['news'], { interactive: true }, /nothing to publish/u],
    [['news', '{"a"'], {}, /begins like JSON and is none/u],
    [['news', 'x', '--lines'], {}, /--lines reads the standard input/u],
    [['news', '--lines', '--key', 'k'], {}, /--key would be that of every line/u],
    [['news', '--lines', '--if-position', 'e:1'], {}, /--if-position would be right for the first line/u],
    [['news', 'x', '--if-position', 'nowhere'], {}, /Write epoch:offset/u],
  ])('refuses %j', async (args, options, message) => {
    using terminal = new MemoryTerminal(options)
    Object.assign(terminal.input, { isTTY: terminal.interactive })
    expect(await run(['publish', ...args], terminal)).toBe(2)
    expect(text(terminal.err)).toMatch(message)
  })

  it('publishes nothing when nothing is written to it', async () => {
    using terminal = new MemoryTerminal()
    expect(await run(['publish', 'news'], terminal)).toBe(2)
    expect(text(terminal.err)).toMatch(/^The standard input is empty: there is nothing to publish\./u)
  })

  it('says of a port that fetch refuses that it is the port', async () => {
    using terminal = new MemoryTerminal()
    expect(await run(['publish', 'news', 'x', '--url', 'https://127.0.0.1:6000'], terminal)).toBe(1)
    expect(text(terminal.err)).toMatch(/^Port 6000 is one that fetch and browsers refuse, .* name it with --url\.$/u)
  })

  it('and the other clients say so when nothing listens', async () => {
    using terminal = new MemoryTerminal()
    const url = `https://127.0.0.1:${await freePort()}`
    for (const args of [['publish', 'news', 'x'], ['subscribe', 'news'], ['state', 'news'], ['info']]) {
      terminal.err.length = 0
      expect(await run([...args, '--url', url], terminal)).toBe(1)
      expect(text(terminal.err)).toBe(
        `Nothing listens at ${url}. Start a server with "fusewire serve", or name another one with --url.`,
      )
    }
  })
})
