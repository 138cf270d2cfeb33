import { describe, expect, it } from 'vitest'
import { publishInWindow } from './window.ts'

const stampOf = (data: string): number => Number(data.split(' ')[0])

describe('an open loop', () => {
  it('stamps each publication with when it was due, though nothing is acknowledged meanwhile', async () => {
    const stamps: number[] = []
    const acknowledge: (() => void)[] = []
    const publish = (_channel: number, data: string): Promise<void> => {
      stamps.push(stampOf(data))
      return new Promise((resolve) => {
        acknowledge.push(resolve)
        if (acknowledge.length === 50) for (const each of acknowledge) each()
      })
    }
    const sent = await publishInWindow(publish, { durationMs: 50, depth: 1, channels: 4, bytes: 30, rate: 1000 })
    expect(sent).toMatchObject({ acknowledged: 50, failed: 0 })
    const [first = 0] = stamps
    for (const [index, stamp] of stamps.entries()) expect(stamp - first).toBeCloseTo(index, 1)
  })

  it('counts a publication that is made late as late', async () => {
    let isBlocked = false
    const publish = async (): Promise<void> => {
      if (isBlocked) return
      isBlocked = true
      for (const until = performance.now() + 30; performance.now() < until; );
    }
    const { paced } = await publishInWindow(publish, { durationMs: 40, depth: 1, channels: 1, bytes: 30, rate: 1000 })
    expect(paced?.late.p99).toBeGreaterThan(20)
  })

  it('says why publications failed', async () => {
    const refuse = (channel: number): Promise<void> => (channel === 1 ? Promise.reject(new Error('refused')) : Promise.resolve())
    const sent = await publishInWindow(refuse, { durationMs: 20, depth: 1, channels: 2, bytes: 30, rate: 1000 })
    expect(sent).toMatchObject({ acknowledged: 10, failed: 10, failure: 'Error: refused' })
  })
})

describe('a window', () => {
  it('keeps no more under way than it is told to', async () => {
    let [underWay, most] = [0, 0]
    const publish = async (): Promise<void> => {
      most = Math.max(most, ++underWay)
      await new Promise((resolve) => setImmediate(resolve))
      underWay--
    }
    const { acknowledged } = await publishInWindow(publish, { durationMs: 1000, depth: 7, channels: 1, bytes: 30 })
    expect(most).toBe(7)
    expect(acknowledged).toBeGreaterThan(7)
  })
})
