import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileLock, type LockHolder } from './file-lock.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fusewire-lock-'))
  path = join(folder, 'lock')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** What this process would write. */
const own = async (): Promise<LockHolder> => {
  const lock = await FileLock.acquire(path)
  const holder = JSON.parse(readFileSync(path, 'utf8')) as LockHolder
  await lock.release()
  return holder
}

const leave = (holder: LockHolder): void => writeFileSync(path, JSON.stringify({ ...holder, id: 'left behind' }))

describe('a file lock', () => {
  it('has one holder, until it is released', async () => {
    const lock = await FileLock.acquire(path)
    await expect(FileLock.acquire(path)).rejects.toThrow(`held by process ${process.pid}`)
    await lock.assertHeld()
    await lock.release()
    await lock.release()
    expect(readdirSync(folder)).toEqual([])
    await (await FileLock.acquire(path)).release()
  })

  it('is taken over at once from a process of this machine that is gone', async () => {
    leave({ ...(await own()), pid: 4_194_305 })
    const lock = await FileLock.acquire(path)
    await lock.assertHeld()
    expect(readdirSync(folder)).toEqual(['lock'])
  })

  it.runIf(process.platform === 'linux')('is taken over from a process whose number another one has now', async () => {
    leave({ ...(await own()), startedAt: '1' })
    await (await FileLock.acquire(path)).assertHeld()
  })

  it('is left to a holder elsewhere that touches it', async () => {
    leave({ ...(await own()), place: 'another machine' })
    const touching = setInterval(() => utimesSync(path, new Date(), new Date()), 50)
    await expect(FileLock.acquire(path)).rejects.toThrow('on another machine')
    clearInterval(touching)
  })

  it('is taken over from a holder elsewhere that is silent, and from one that cannot be read', { timeout: 30_000 }, async () => {
    leave({ ...(await own()), place: 'another machine' })
    const lock = await FileLock.acquire(path)
    await lock.assertHeld()
    writeFileSync(path, '')
    await expect(lock.assertHeld()).rejects.toThrow('has not said who it is')
    await lock.release()
    expect(readdirSync(folder)).toEqual(['lock'])
    await (await FileLock.acquire(path)).assertHeld()
  })

  it('goes to one of many that come at the same time, be there an old one or none', async () => {
    const holder = await own()
    for (const isOld of [false, true]) {
      if (isOld) leave({ ...holder, pid: 4_194_305 })
      const results = await Promise.allSettled(Array.from({ length: 10 }, () => FileLock.acquire(path)))
      const taken = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value)
      const held = await Promise.allSettled(taken.map((lock) => lock.assertHeld()))
      expect(held.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const lock of taken) await lock.release()
    }
  })
})
