import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { eventually } from '../eventually.ts'
import { startNats, startNatsCluster } from './nats-server.ts'
import { describeWith } from './program.ts'
import { startRedisCluster } from './redis-cluster.ts'
import { startRedisSentinel } from './redis-sentinel.ts'
import { startRedis } from './redis-server.ts'

const STARTS = { timeout: 60_000 }

const withTest = async <T extends AsyncDisposable>(starting: Promise<T>): Promise<T> => {
  const started = await starting
  onTestFinished(() => started[Symbol.asyncDispose]())
  return started
}

describeWith(['redis-server'], 'startRedis', () => {
  it('keeps what it has over a restart when it appends, and not when it restarts empty', async () => {
    const redis = await withTest(startRedis({ appendonly: true, password: 'a secret/1' }))
    expect(redis.url).toBe(`redis://:a%20secret%2F1@127.0.0.1:${redis.port}`)
    await redis.command('SET', 'key', 'value')
    await redis.restart()
    expect(await redis.command('GET', 'key')).toBe('value')
    await redis.restart({ empty: true })
    expect(await redis.command('GET', 'key')).toBeNull()
  })

  it('is killed, comes back on its port, and is gone with its folder once it is stopped', async () => {
    const redis = await withTest(startRedis())
    const { pid, port } = redis
    await redis.kill()
    expect(redis.isRunning).toBe(false)
    await expect(redis.command('PING')).rejects.toThrow('ECONNREFUSED')
    await redis.restart()
    expect(redis.port).toBe(port)
    expect(redis.pid).not.toBe(pid)
    await redis.stop()
    expect(existsSync(redis.folder)).toBe(false)
    expect(() => process.kill(redis.pid, 0)).toThrow('ESRCH')
  })

  it('answers nothing while it is suspended, and everything once it is awake', async () => {
    const redis = await withTest(startRedis())
    redis.suspend()
    const answered: string[] = []
    const socket = connect(redis.port, '127.0.0.1', () => socket.write('PING\r\n')).on('data', (data) =>
      answered.push(String(data)),
    )
    onTestFinished(() => void socket.destroy())
    await expect(redis.command('PING')).rejects.toThrow('does not answer')
    expect(answered).toEqual([])
    redis.wake()
    await eventually(() => expect(answered).toEqual(['+PONG\r\n']))
  })
})

describeWith(['redis-server', 'redis-sentinel'], 'startRedisSentinel', () => {
  it('fails over when it is told to', STARTS, async () => {
    const sentinel = await withTest(startRedisSentinel({ password: 'secret' }))
    expect(sentinel.urls).toHaveLength(3)
    const first = await sentinel.master()
    await first.command('SET', 'key', 'value')
    await eventually(async () => expect(await first.command('WAIT', 2, 0)).toBe(2))
    const second = await sentinel.failOver()
    expect(second).not.toBe(first)
    expect(await second.command('GET', 'key')).toBe('value')
  })

  it('fails over by itself when its master is killed', STARTS, async () => {
    const sentinel = await withTest(startRedisSentinel())
    const first = await sentinel.killMaster()
    expect(first.isRunning).toBe(false)
    expect(await sentinel.untilHealthy()).not.toBe(first)
  })
})

describeWith(['redis-server', 'redis-cli'], 'startRedisCluster', () => {
  it('fails over one shard when it is told to and when its master is killed', STARTS, async () => {
    const cluster = await withTest(startRedisCluster())
    const first = await cluster.master('{key}')
    await first.command('SET', '{key}', 'value')
    const second = await cluster.failOver('{key}')
    expect(second).not.toBe(first)
    expect(await second.command('GET', '{key}')).toBe('value')
    expect(await cluster.killMaster('{key}')).toBe(second)
    await cluster.untilHealthy()
    expect(await cluster.master('{key}')).toBe(first)
  })
})

describeWith(['nats-server'], 'startNats', () => {
  it('has JetStream, and comes back on its port', async () => {
    const nats = await withTest(startNats())
    expect(await nats.monitor('jsz')).toMatchObject({ config: { store_dir: expect.stringContaining(nats.folder) } })
    await nats.kill()
    await expect(nats.monitor('varz')).rejects.toThrow()
    await nats.restart()
    expect(await nats.monitor('varz')).toMatchObject({ port: nats.port })
  })
})

describeWith(['nats-server'], 'startNatsCluster', () => {
  it('goes on without one of three, which comes back empty', STARTS, async () => {
    const cluster = await withTest(startNatsCluster())
    await cluster.kill(0)
    await cluster.untilHealthy()
    await cluster.restart(0, { empty: true })
  })
})
