import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeWith, freePorts, type RedisServer, sessionRecord, startRedis } from '@fusewire/testkit'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { resolveOptions } from '../../config/resolve-options.ts'
import { nodeEnvironment } from '../../node-environment.ts'
import { TestAuthority } from '../../tls/testing/certificate-authority.ts'
import type { Backend } from '../backend.ts'
import { redisBackend } from './redis-backend.ts'

describeWith(['redis-server'], 'a Redis with TLS and users', () => {
  let folder: string
  let redis: RedisServer
  let port: number
  const path = (name: string): string => join(folder, name)

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fusewire-tls-'))
    const authority = await TestAuthority.create()
    const { cert, key } = await authority.issue({ names: ['localhost'] })
    writeFileSync(path('ca.pem'), authority.cert)
    writeFileSync(path('other.pem'), (await TestAuthority.create('Another authority')).cert)
    writeFileSync(path('redis.pem'), cert)
    writeFileSync(path('redis.key'), key)
    ;[port = 0] = await freePorts(1)
    redis = await startRedis({
      config: {
        'tls-port': String(port),
        'tls-cert-file': path('redis.pem'),
        'tls-key-file': path('redis.key'),
        'tls-ca-cert-file': path('ca.pem'),
        'tls-auth-clients': 'no',
      },
    })
    // As docs/redis.md has it.
    const permissions =
      '~fusewire:* &fusewire:* +@read +@write +@connection +@pubsub +@scripting -@dangerous +info +time +cluster|slots'
    await redis.command('ACL', 'SETUSER', 'node', 'on', '>p@ss:word', ...permissions.split(' '))
  })
  afterAll(async () => {
    await redis.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const backend = (address: string, brokerCaFile: string | undefined): Backend => {
    const given = { development: true, broker: [address], brokerTimeoutMs: 1000, ...(brokerCaFile && { brokerCaFile }) }
    const options = resolveOptions(given, { nodeEnv: undefined })
    const made = redisBackend(options, { node: 'n1', environment: nodeEnvironment, log: () => undefined })
    onTestFinished(async () => made.close?.())
    return made
  }
  const opened = async (address: string, brokerCaFile: string | undefined): Promise<unknown> =>
    backend(address, brokerCaFile)
      .open?.()
      .then(() => 'opened', String)

  it('is used where its certificate is trusted, by a user that may do no more than is documented', async () => {
    const { open, shared, presence, revocations, broker } = backend(
      `rediss://node:p%40ss%3Aword@localhost:${port}`,
      path('ca.pem'),
    )
    await open?.()
    await broker.start({ publication: () => undefined, announcement: () => undefined, interrupted: () => undefined })
    await shared?.sessions.start({ lost: () => undefined, due: () => undefined })
    await revocations.start({ revoked: () => undefined })
    await shared?.bus.start('n1', { message: () => undefined })
    await broker.subscribe('chat:1')
    const options = { historySize: 10, historyTtlMs: 60_000, historyBytes: 10_000 }
    expect(await broker.publish('chat:1', { data: 1 }, options)).toMatchObject({ position: { offset: 1 } })
    await shared?.sessions.put([sessionRecord('s1')], 60_000)
    expect(await shared?.sessions.take('s1', 60_000)).toEqual(sessionRecord('s1'))
    expect(await shared?.sessions.expired(10, 1000)).toEqual([])
    expect(await presence.add('chat:1', { session: 's1' })).toBe(true)
    expect(await presence.count('chat:1')).toEqual({ sessions: 1, users: 1 })
    await revocations.revoke({ token: 't1' }, Date.now() + 60_000)
    expect(revocations.isRevoked({ tokenId: 't1' })).toBe(true)
    await shared?.bus.send(Buffer.from('hello'))
  })

  it('is refused where its certificate is not trusted, or of another name', async () => {
    for (const ca of [undefined, path('other.pem')])
      expect(await opened(`rediss://localhost:${port}`, ca)).toMatch(/is not trusted \(\w+\); set brokerCaFile to the authority/u)
    expect(await opened(`rediss://127.0.0.1:${port}`, path('ca.pem'))).toContain('has a certificate for another name')
  })

  it('is refused where its user has another password, or may not do enough', async () => {
    await redis.command('ACL', 'SETUSER', 'poor', 'on', '>word', '~fusewire:*', '&fusewire:*', '+@read', '+@connection')
    expect(await opened(`rediss://node:wrong@localhost:${port}`, path('ca.pem'))).toContain('refuses the user or password')
    expect(await opened(`rediss://poor:word@localhost:${port}`, path('ca.pem'))).toMatch(/permission|refuses the user/u)
  })

  it('speaks TLS where it is said not to', async () => {
    expect(await opened(`redis://localhost:${port}`, undefined)).toMatch(/write rediss:\/\/|has not answered within/u)
  })
})
