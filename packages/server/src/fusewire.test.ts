import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryBroker } from '@fusewire/engine'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createCommandServer } from './command.ts'
import { createFusewire, type Fusewire } from './fusewire.ts'
import * as entry from './index.ts'
import { nodeEnvironment } from './node-environment.ts'

const OPTIONS = { development: true, tls: false, cleartextPort: 0, drainWindowMs: 0, log: () => {} } as const

describe('a server inside of a program', () => {
  it.each(['drain', 'close'] as const)('ends with %s, once, and says that it has ended', async (how) => {
    const fusewire = createFusewire(OPTIONS)
    await fusewire.listen()
    let ended = false
    void fusewire.closed.then(() => {
      ended = true
    })
    await Promise.all([fusewire[how](), fusewire[how]()])
    await fusewire.close()
    await fusewire.drain()
    expect(ended).toBe(true)
    await expect(fusewire.listen()).rejects.toThrow('once')
  })

  it('ends also when it has never listened, or could not', async () => {
    const idle = createFusewire(OPTIONS)
    await idle.close()
    await idle.closed
    await expect(idle.listen()).rejects.toThrow('was closed before it listened')
    // Whatever it is to listen with.
    await expect(idle.listen(-1)).rejects.toThrow('was closed before it listened')
    const events: string[] = []
    const log = (event: string): void => void events.push(event)
    const elsewhere = createFusewire({ ...OPTIONS, host: '192.0.2.1', developmentOnAllInterfaces: true, log })
    await expect(elsewhere.listen()).rejects.toThrow(/192\.0\.2\.1/u)
    await elsewhere.closed
    await elsewhere.drain()
    // The error says it all.
    expect(events).toEqual([])
  })

  it('says in the log of its program how it has begun, and leaves that to the command', async () => {
    const certificateDir = mkdtempSync(join(tmpdir(), 'fusewire-'))
    onTestFinished(() => rmSync(certificateDir, { recursive: true }))
    const events: unknown[] = []
    const log = (event: string, details: object): void => void events.push([event, details])
    const begun = async (fusewire: Fusewire): Promise<unknown> => {
      await fusewire.listen()
      const atStart = events.splice(0)
      await fusewire.close()
      events.length = 0
      return atStart
    }
    const development = { ...OPTIONS, tls: true, port: 0, certificateDir, log }
    expect(await begun(createFusewire(development))).toEqual([
      ['listening', { urls: [expect.stringContaining('https:'), expect.stringContaining('http:')] }],
      ['development_mode', { host: '127.0.0.1' }],
      ['development_certificate', { file: join(certificateDir, 'development-certificate.pem') }],
    ])
    expect(await begun(createCommandServer(development))).toEqual([])
    const others = { ...OPTIONS, development: false, allowAnonymous: true, host: '127.0.0.1', log }
    expect(await begun(createFusewire(others))).toEqual([['listening', { urls: [expect.any(String)] }]])
  })

  it('is made in one way, which is not that of the command', () => {
    expect(Object.keys(entry).sort()).toEqual([
      'ConfigurationError',
      'ConflictError',
      'FusewireError',
      'VERSION',
      'createFusewire',
      'resolveOptions',
      'signToken',
    ])
  })

  it('has no workers: they are processes of the command', () => {
    for (const workers of [2, 'auto'] as const)
      expect(() => createFusewire({ ...OPTIONS, workers })).toThrow(
        /^workers: are processes of the command: run "fusewire serve"/u,
      )
  })

  it('acts on sessions, and says who is where', async () => {
    const fusewire = createFusewire(OPTIONS)
    await fusewire.listen()
    expect(await fusewire.refresh({ user: 'nobody' }, 1000)).toBe(0)
    expect(await fusewire.refresh({ user: 'nobody' }, null)).toBe(0)
    for (const wrong of [-1, 1.5, Number.NaN, '1' as never, undefined as never])
      await expect(fusewire.refresh({ user: 'nobody' }, wrong)).rejects.toMatchObject({ code: 'invalid_field' })
    expect(await fusewire.disconnect({ session: 'nobody' })).toBe(0)
    expect(await fusewire.drain({ user: 'nobody' })).toBe(0)
    expect(await fusewire.channels('chat:*')).toEqual([])
    // Nobody has left.
    await fusewire.publish('news', 1)
    await fusewire.close()
  })

  it('starts and closes the broker that it is given, last of all', async () => {
    const broker = new MemoryBroker(nodeEnvironment)
    const [start, close] = [vi.spyOn(broker, 'start'), vi.spyOn(broker, 'close')]
    const fusewire = createFusewire({ ...OPTIONS, broker })
    await fusewire.listen()
    expect(start).toHaveBeenCalledOnce()
    const { position } = await fusewire.publish('news', 1)
    expect(broker.history('news', {}).position).toEqual(position)
    await fusewire.drain()
    expect(close).toHaveBeenCalledOnce()
  })
})
