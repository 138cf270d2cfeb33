import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeWith, freePorts, type NatsServer, type RedisServer, startNats, startRedis } from '@fusewire/testkit'
import { connect } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { FusewireCommand, runFusewire } from '../fusewire-command.ts'

// Each test starts several processes.
vi.setConfig({ testTimeout: 120_000 })

const SECRET = 'hunter2'

const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-broker-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** What `serve` says when it does not start with these flags. */
const refusal = async (...flags: readonly string[]): Promise<string> => {
  const args = ['serve', '--development', '--port', '0', '--broker-timeout-ms', '1000', ...flags]
  const { code, out, err } = await runFusewire(args, { folder: temporaryFolder() })
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).not.toContain(SECRET)
  return err
}

const starts = async (url: string): Promise<void> => {
  const args = ['serve', '--development', '--port', '0', '--broker', url]
  await using command = new FusewireCommand(args, { folder: temporaryFolder() })
  await command.until('out', /https?:\/\//u)
  command.signal('SIGTERM')
  expect(await command.exit()).toBe(0)
}

describe('a server whose broker is not there', () => {
  it.each([
    ['redis', (port: number) => `redis://127.0.0.1:${port} takes no connections; start Redis there, or correct the address`],
    [
      'nats',
      (port: number) =>
        `NATS at 127.0.0.1:${port} cannot be used: it refuses connections; start NATS there, or correct the address`,
    ],
  ])(
    'does not start, and says in one line which address of %s it is, without its password, with workers too',
    async (scheme, says) => {
      const [port = 0] = await freePorts(1)
      for (const workers of ['1', '2']) {
        const lines = (await refusal('--workers', workers, '--broker', `${scheme}://ann:${SECRET}@127.0.0.1:${port}`))
          .trim()
          .split('\n')
        expect(lines).toEqual(['The configuration cannot be used:', expect.stringContaining(says(port))])
      }
    },
  )

  it.each([
    [`redis//:${SECRET}@localhost`, 'is no address of a broker'],
    [`redis://${SECRET}@localhost`, 'has a user without a password'],
    [`nats://:${SECRET}@localhost`, 'has a password without a user'],
  ])('does not start with the address %s, and says so before it tries', async (address, says) => {
    expect(await refusal('--broker', address)).toContain(says)
  })

  it('is checked by check-config without being started', async () => {
    const folder = temporaryFolder()
    const check = async (file: object) => {
      writeFileSync(join(folder, 'fusewire.yaml'), JSON.stringify({ development: true, ...file }))
      return runFusewire(['check-config'], { folder })
    }
    expect(await check({ broker: ['redis://127.0.0.1:1'] })).toMatchObject({ code: 0 })
    expect(await check({ broker: ['nats://127.0.0.1:1'] })).toMatchObject({ code: 0 })
    const mixed = await check({ broker: ['redis://127.0.0.1:1', `nats://me:${SECRET}@a`] })
    expect(mixed.code).toBe(2)
    expect(mixed.err).toContain('has addresses of different schemes')
    expect(mixed.err).not.toContain(SECRET)
    for (const [option, file] of [
      ['brokerCaFile', { broker: ['rediss://127.0.0.1:1'], brokerCaFile: 'missing.pem' }],
      ['brokerCaFile', { broker: ['nats://127.0.0.1:1'], brokerCaFile: 'missing.pem' }],
      ['natsCredentialsFile', { broker: ['nats://127.0.0.1:1'], natsCredentialsFile: 'missing.creds' }],
    ] as const)
      expect(await check(file)).toMatchObject({ code: 2, err: expect.stringContaining(option) })
  })
})

describeWith(['redis-server'], 'a server and a Redis that is something else than it says', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis({ password: 'right' })
  })
  afterAll(() => redis.stop())

  it('does not start with a wrong password, or without one', async () => {
    expect(await refusal('--broker', `redis://:${SECRET}@127.0.0.1:${redis.port}`)).toContain('refuses the user or password')
    expect(await refusal('--broker', `redis://127.0.0.1:${redis.port}`)).toContain('wants a password')
  })

  it('does not start with a database that is not there, or in another mode', async () => {
    expect(await refusal('--broker', `${redis.url}/77`)).toContain('has no database 77')
    expect(await refusal('--broker', redis.url, '--redis-mode', 'cluster')).toContain('is no server of a Redis Cluster')
    expect(await refusal('--broker', redis.url, '--redis-mode', 'sentinel')).toContain('is no sentinel')
  })

  it('does not start with the address of NATS', async () => {
    expect(await refusal('--broker', `nats://127.0.0.1:${redis.port}`)).toContain('it is a Redis; correct the address')
  })

  it('starts with one command where everything is right', () => starts(redis.url))
})

describeWith(['nats-server'], 'a server and a NATS that is something else than it should be', () => {
  const serve = async (options: Parameters<typeof startNats>[0] = {}): Promise<NatsServer> => {
    const nats = await startNats(options)
    onTestFinished(() => nats.stop())
    return nats
  }

  it('does not start with a wrong password, or without one', async () => {
    const { port } = await serve({ user: 'ann', password: 'right' })
    const says = 'it refuses the user, password, token or credentials'
    expect(await refusal('--broker', `nats://ann:${SECRET}@127.0.0.1:${port}`)).toContain(says)
    expect(await refusal('--broker', `nats://127.0.0.1:${port}`)).toContain(says)
  })

  it('does not start without JetStream', async () => {
    const { url } = await serve({ jetstream: false })
    expect(await refusal('--broker', url)).toContain('has no JetStream')
  })

  it('does not start with the address of Redis', async () => {
    const { port } = await serve()
    expect(await refusal('--broker', `redis://127.0.0.1:${port}`)).toContain('is a NATS server; correct the address')
  })

  it('does not start where there are fewer servers than replicas', async () => {
    const { url } = await serve()
    expect(await refusal('--broker', url, '--nats-replicas', '3')).toContain(
      'not supported in non-clustered mode; leave natsReplicas out',
    )
  })

  it('does not start where the name of a bucket is that of another stream', async () => {
    const { url, port } = await serve()
    const connection = await connect({ servers: `127.0.0.1:${port}` })
    const stream = { name: 'KV_fusewire-sessions', subjects: ['orders.>'] }
    await connection.request('$JS.API.STREAM.CREATE.KV_fusewire-sessions', JSON.stringify(stream))
    await connection.close()
    expect(await refusal('--broker', url)).toContain(
      "has a stream KV_fusewire-sessions that is not Fusewire's (max_msgs_per_subject, subjects); choose another brokerPrefix",
    )
  })

  it('starts with one command where everything is right', async () => starts((await serve()).url))
})
