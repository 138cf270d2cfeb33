import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describeWith, eventually, freePorts, type NatsOptions, type NatsServer, startNats, startRedis } from '@fusewire/testkit'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { resolveOptions } from '../../config/resolve-options.ts'
import { nodeEnvironment } from '../../node-environment.ts'
import { TestAuthority } from '../../tls/testing/certificate-authority.ts'
import { parseNatsAddresses } from './nats-address.ts'
import { natsBackend } from './nats-backend.ts'
import { NatsBroker } from './nats-broker.ts'
import type { NatsAccess } from './nats-connect.ts'
import { NatsLink } from './nats-link.ts'
import { createStream } from './stream-api.ts'
import { natsAccounts } from './testing/nats-accounts.ts'

const SECRET = 'hunter2'

const linkTo = (address: string, access: Partial<NatsAccess> = {}): NatsLink => {
  const link = new NatsLink({ addresses: parseNatsAddresses([address]), timeoutMs: 500, name: 'test', ...access }, Math.random)
  onTestFinished(() => link.close())
  return link
}

/** What the operator reads. */
const refusal = async (address: string, access?: Partial<NatsAccess>): Promise<string> => {
  const error: unknown = await linkTo(address, access)
    .open()
    .then(
      () => new Error('it was reached'),
      (reason: unknown) => reason,
    )
  expect(error).toMatchObject({ code: 'broker_unavailable' })
  // With causes and stacks, as it is logged.
  expect(inspect(error, { depth: 9 })).not.toContain(SECRET)
  return (error as Error).message
}

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

const start = async (options: NatsOptions): Promise<NatsServer> => {
  const server = await startNats(options)
  onTestFinished(() => server.stop())
  return server
}

describe('where there is no NATS', () => {
  it('says that nobody listens', async () => {
    const [port] = await freePorts(1)
    expect(await refusal(`nats://u:${SECRET}@127.0.0.1:${port}`)).toBe(
      `NATS at 127.0.0.1:${port} cannot be used: it refuses connections; start NATS there, or correct the address`,
    )
  })

  it('says that nothing is answered, does not wait for ever, and leaves no connection behind', async () => {
    let connections = 0
    const server = createServer((socket) => {
      connections++
      socket.resume().on('close', () => connections--)
    })
    const port = await listen(server)
    expect(await refusal(`nats://127.0.0.1:${port}`)).toContain('no greeting within 500 ms')
    await eventually(() => expect(connections).toBe(0))
  })

  it.each(['natsCredentialsFile', 'brokerCaFile'])('says before it tries that the file of %s is not there', (option) => {
    const given = { development: true, broker: ['nats://127.0.0.1:1'], [option]: '/nowhere/file' }
    const options = resolveOptions(given, { nodeEnv: undefined })
    expect(() => natsBackend(options, { node: 'n1', environment: nodeEnvironment, log: () => {} })).toThrow(
      new RegExp(`${option}: /nowhere/file does not exist`, 'u'),
    )
  })

  it.each([
    ['HTTP/1.1 400 Bad Request', 'it is an HTTP server; correct the address'],
    ['220 mail.example.com ESMTP', 'it is no NATS server; correct the address'],
  ])('says who listens in its place: %s', async (words, says) => {
    const port = await listen(createServer((socket) => void socket.end(`${words}\r\n\r\n`)))
    expect(await refusal(`nats://127.0.0.1:${port}`)).toContain(says)
  })
})

describeWith(['redis-server'], 'where there is Redis', () => {
  it.each([{}, { password: 'right' }])('says so: %j', async (options) => {
    const redis = await startRedis(options)
    onTestFinished(() => redis.stop())
    for (const scheme of ['nats', 'tls'])
      expect(await refusal(`${scheme}://u:${SECRET}@127.0.0.1:${redis.port}`)).toBe(
        `NATS at 127.0.0.1:${redis.port} cannot be used: it is a Redis; correct the address`,
      )
  })
})

describeWith(['nats-server'], 'several addresses', () => {
  it('are each tried, though one that stands still takes all the time', async () => {
    const silent = await listen(createServer((socket) => void socket.resume()))
    const { port } = await start({})
    const addresses = parseNatsAddresses([silent, port].map((each) => `nats://127.0.0.1:${each}`))
    const link = new NatsLink({ addresses, timeoutMs: 1_500, name: 'test' }, () => 0)
    onTestFinished(() => link.close())
    await link.open()
    expect(link.isUp).toBe(true)
  })
})

describeWith(['nats-server'], 'a NATS that asks who comes', () => {
  it('says that there is no JetStream', async () => {
    const server = await start({ jetstream: false })
    expect(await refusal(server.url)).toContain('has no JetStream for us now; start nats-server with -js')
  })

  it('takes the user and password of the address, whatever signs they have, and says when they are wrong', async () => {
    const server = await start({ user: 'a@b', password: `${SECRET}%/:` })
    const { port } = server
    await linkTo(`nats://a%40b:${SECRET}%25%2F%3A@127.0.0.1:${port}`).open()
    expect(await refusal(`nats://a%40b:${SECRET}@127.0.0.1:${port}`)).toContain(
      'it refuses the user, password, token or credentials',
    )
    expect(await refusal(server.url)).toContain('it refuses the user, password, token or credentials')
  })

  it('takes a token', async () => {
    const { port } = await start({ configuration: { authorization: { token: `t-${SECRET}` } } })
    await linkTo(`nats://t-${SECRET}@127.0.0.1:${port}`).open()
    expect(await refusal(`nats://${SECRET}@127.0.0.1:${port}`)).toContain('it refuses')
  })

  it('takes the credentials of a file, as it is when a connection is made', async () => {
    const { configuration, credentials } = natsAccounts()
    const server = await start({ configuration })
    const folder = mkdtempSync(join(tmpdir(), 'fusewire-nats-creds-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const credentialsFile = join(folder, 'nats.creds')
    writeFileSync(credentialsFile, natsAccounts().credentials)
    const link = linkTo(server.url, { credentialsFile, timeoutMs: 5_000 })
    expect(await refusal(server.url, { credentialsFile })).toContain('it refuses the user, password, token or credentials')
    const opening = link.open()
    writeFileSync(credentialsFile, credentials)
    await opening
    expect(await refusal(server.url)).toContain('it refuses the user, password, token or credentials')
  })

  it('names the stream that is of somebody else', async () => {
    const server = await start({})
    const link = linkTo(server.url)
    await link.open()
    await createStream(link.session(), {
      name: 'fusewire',
      subjects: ['fusewire.c.>'],
      storage: 'file',
      num_replicas: 1,
      max_age: 0,
      max_msgs_per_subject: -1,
      duplicate_window: 0,
    })
    const other = linkTo(server.url)
    const broker = new NatsBroker(other, nodeEnvironment, { prefix: 'fusewire', replicas: 1, idempotencyTtlMs: 1_000 })
    const starting = broker.start({ publication: () => undefined, interrupted: () => undefined, announcement: () => undefined })
    await expect(starting).rejects.toThrow('NATS has a stream fusewire that is none of ours; choose another brokerPrefix')
  })

  it('names the file of credentials that cannot be read', async () => {
    const server = await start({})
    expect(await refusal(server.url, { credentialsFile: '/nowhere/nats.creds' })).toContain('/nowhere/nats.creds')
  })

  it('needs no more permissions than docs/nats.md lists', async () => {
    const streams = ['fusewire', 'KV_fusewire-sessions', 'KV_fusewire-presence', 'KV_fusewire-revocations']
    const api = ['STREAM.INFO', 'STREAM.CREATE', 'STREAM.UPDATE', 'STREAM.MSG.GET', 'STREAM.MSG.DELETE', 'DIRECT.GET']
    const permissions = {
      publish: [
        'fusewire.>',
        ...['sessions', 'presence', 'revocations'].map((name) => `$KV.fusewire-${name}.>`),
        '$JS.API.INFO',
        ...streams.flatMap((stream) => [
          ...api.map((verb) => `$JS.API.${verb}.${stream}`),
          `$JS.API.CONSUMER.CREATE.${stream}`,
          `$JS.API.CONSUMER.DELETE.${stream}.*`,
        ]),
        '$JS.FC.>',
      ],
      subscribe: ['_INBOX.>', 'fusewire.>', '$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.fusewire'],
    }
    const user = { user: 'fusewire', password: 'x', permissions }
    const server = await start({ configuration: { authorization: { users: [user] } } })
    const options = resolveOptions(
      { allowAnonymous: true, broker: [`nats://fusewire:x@127.0.0.1:${server.port}`], brokerTimeoutMs: 2_000 },
      { nodeEnv: undefined },
    )
    const backend = natsBackend(options, { node: 'n1', environment: nodeEnvironment, log: () => undefined })
    onTestFinished(async () => backend.broker.close())
    await backend.open?.()
    const heard: unknown[] = []
    await backend.broker.start({
      publication: (_, { data }) => heard.push(data),
      interrupted: () => undefined,
      announcement: ({ type }) => heard.push(type),
    })
    await backend.broker.subscribe('a')
    const kept = {
      historySize: 9,
      historyTtlMs: 60_000,
      historyBytes: 10_000,
      state: { ttlMs: 30 * 86_400_000, maxDocumentBytes: 99 },
    }
    await backend.broker.publish('a', { data: 1 }, kept)
    await backend.broker.announce({ type: 'join', channel: 'a', member: { session: 's' } })
    await eventually(() => expect(heard).toEqual([1, 'join']))
    expect((await backend.broker.state('a')).document).toBe(1)
    await backend.revocations.start({ revoked: () => undefined })
    expect(server.log).not.toContain('Violation')
  })
})

describeWith(['nats-server'], 'a NATS with TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-nats-tls-'))
  const caFile = join(folder, 'ca.pem')
  let server: NatsServer

  beforeAll(async () => {
    const authority = await TestAuthority.create()
    const { cert, key } = await authority.issue({ names: ['localhost'] })
    writeFileSync(caFile, authority.cert)
    writeFileSync(join(folder, 'cert.pem'), cert)
    writeFileSync(join(folder, 'key.pem'), key)
    const tls = { cert_file: join(folder, 'cert.pem'), key_file: join(folder, 'key.pem') }
    server = await startNats({ user: 'u', password: SECRET, configuration: { tls } })
  })
  afterAll(async () => {
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  it('is reached with the authority that has signed its certificate', async () => {
    await linkTo(`tls://u:${SECRET}@localhost:${server.port}`, { caFile }).open()
  })

  it('is not trusted without', async () => {
    expect(await refusal(`tls://u:${SECRET}@localhost:${server.port}`)).toMatch(/certificate/u)
  })

  it('is not taken for an address that its certificate does not have', async () => {
    expect(await refusal(`tls://u:${SECRET}@127.0.0.1:${server.port}`, { caFile })).toMatch(/127\.0\.0\.1.*cert/u)
  })

  it('is missed where the address asks for it', async () => {
    const plain = await start({ user: 'u', password: SECRET })
    expect(await refusal(`tls://u:${SECRET}@127.0.0.1:${plain.port}`, { caFile })).toContain('it has no TLS; write nats://')
  })
})
