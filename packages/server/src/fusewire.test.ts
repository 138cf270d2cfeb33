import { MemoryBroker } from '@fusewire/engine'
import { describe, expect, it, vi } from 'vitest'
import { createFusewire } from './fusewire.ts'
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
    await expect(idle.listen()).rejects.toThrow('once')
    const events: string[] = []
    const log = (event: string): void => void events.push(event)
    const elsewhere = createFusewire({ ...OPTIONS, host: '192.0.2.1', developmentOnAllInterfaces: true, log })
    await expect(elsewhere.listen()).rejects.toThrow(/192\.0\.2\.1/u)
    await elsewhere.closed
    await elsewhere.drain()
    // The error says it all.
    expect(events).toEqual([])
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
