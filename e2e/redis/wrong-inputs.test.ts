import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeWith, freePorts, type RedisServer, startRedis } from '@fusewire/testkit'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { FusewireCommand, runFusewire } from '../fusewire-command.ts'

const SECRET = 'hunter2'

const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-redis-'))
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

describe('a server whose Redis is not there', () => {
  it('does not start, and says which address it is, without its password', async () => {
    const [port] = await freePorts(1)
    expect(await refusal('--broker', `redis://:${SECRET}@127.0.0.1:${port}`)).toContain(
      `redis://127.0.0.1:${port} takes no connections; start Redis there, or correct the address`,
    )
  })

  it.each([
    [`redis//:${SECRET}@localhost`, 'is no address of a broker'],
    [`redis://localhost/${SECRET}`, 'has a path that is not the number of a database'],
    [`redis://${SECRET}@localhost`, 'has a user without a password'],
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
    const wrong = await check({ broker: ['redis://127.0.0.1:1', `nats://me:${SECRET}@a`], brokerCaFile: 'missing.pem' })
    expect(wrong.code).toBe(2)
    expect(wrong.err).toContain('has addresses of different schemes')
    expect(wrong.err).not.toContain(SECRET)
    const file = await check({ broker: ['rediss://127.0.0.1:1'], brokerCaFile: 'missing.pem' })
    expect(file.code).toBe(2)
    expect(file.err).toContain('brokerCaFile')
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

  it('starts with one command where everything is right', async () => {
    const args = ['serve', '--development', '--port', '0', '--broker', redis.url]
    await using command = new FusewireCommand(args, { folder: temporaryFolder() })
    await command.until('out', /https?:\/\//u)
    command.signal('SIGTERM')
    expect(await command.exit()).toBe(0)
  })
})
