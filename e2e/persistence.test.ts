import { mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import type { FusewireInput } from '@fusewire/server'
import { eventually } from '@fusewire/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Api } from './api.ts'
import { FusewireProcess } from './fusewire-process.ts'
import { DEVELOPMENT } from './server-variants.ts'
import { join } from './wire/way.ts'
import { webSocketWay } from './wire/websocket-way.ts'

const HISTORY = 'chat:lobby'
const STATE = 'device:1'
const open = { subscribe: 'anyone', publish: 'anyone', history: 'anyone' } as const

let folder: string
let snapshotFile: string
const running: FusewireProcess[] = []

beforeEach(() => {
  folder = mkdtempSync(joinPath(tmpdir(), 'fusewire-persistence-'))
  snapshotFile = joinPath(folder, 'snapshot.ndjson')
})
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

const start = async (): Promise<{ server: FusewireProcess; api: Api }> => {
  const options: FusewireInput = {
    ...DEVELOPMENT,
    snapshotFile,
    snapshotIntervalMs: 1000,
    rules: [
      { pattern: 'chat:*', historySize: 1000, ...open },
      { pattern: 'device:*', historySize: 10, state: true, ...open },
    ],
  }
  const server = await FusewireProcess.start(options)
  running.push(server)
  return { server, api: new Api(server.http) }
}

const subscribe = async (server: FusewireProcess, channel: string, since?: object) => {
  const client = await webSocketWay('HTTP/1.1', 'json').open(server)
  try {
    return await join(client, channel, { ...(since && { since }) })
  } finally {
    client.destroy()
  }
}

const written = (api: Api, outcome = 'written'): Promise<number> => api.metric('fusewire_snapshots_total', { outcome })

const nextSnapshot = async (api: Api): Promise<void> => {
  const before = await written(api)
  await eventually(async () => expect(await written(api)).toBeGreaterThan(before), { timeoutMs: 10_000 })
}

describe('a server with a snapshot file', () => {
  it('that is restarted goes on with history, documents, keys and positions', { timeout: 60_000 }, async () => {
    const first = await start()
    const { position: before } = await subscribe(first.server, HISTORY)
    for (let n = 1; n <= 20; n++) await first.api.publish(HISTORY, { n }, { tags: { n: `${n}` } })
    const { position } = await first.api.publish(HISTORY, 'last', { key: 'once' })
    for (const data of [{ fan: true }, { fan: true, load: 0.5 }]) await first.api.publish(STATE, data)
    const history = await first.api.history(HISTORY)
    const device = await subscribe(first.server, STATE)
    expect(await first.server.stop()).toBe(0)

    const second = await start()
    expect(await second.api.history(HISTORY)).toEqual(history)
    const recovery = await subscribe(second.server, HISTORY, { ...before, offset: 15 })
    expect(recovery).toMatchObject({ recovered: true, position })
    expect(recovery.publications?.map(({ offset }) => offset)).toEqual([16, 17, 18, 19, 20, 21])
    expect(await subscribe(second.server, STATE)).toMatchObject({ position: device.position, document: { fan: true, load: 0.5 } })
    expect(await subscribe(second.server, STATE, device.position)).toMatchObject({ recovered: true })
    expect(await second.api.publish(HISTORY, 'last', { key: 'once' })).toEqual({ position, duplicate: true })
    expect((await second.api.publish(HISTORY, 'next')).position).toEqual({ ...position, offset: position.offset + 1 })
  })

  it('that is killed in the middle of traffic has its last snapshot, and tells clients that something is missing', {
    timeout: 60_000,
  }, async () => {
    const first = await start()
    let published = 0
    const publish = async () => {
      published++
      const [{ position }] = await Promise.all([
        first.api.publish(STATE, { n: published }),
        first.api.publish(HISTORY, { n: published }),
      ])
      return position
    }
    const before = await written(first.api)
    // Two, because the first may have begun before anything was published.
    while ((await written(first.api)) < before + 2) await publish()
    let position = await publish()
    for (let n = 0; n < 20; n++) position = await publish()
    process.kill(first.server.pid, 'SIGKILL')
    await first.server.stop()

    const second = await start()
    expect(second.server.log).toContain('snapshot_restored')
    const state = await subscribe(second.server, STATE, position)
    expect(state.recovered).toBe(false)
    expect(state.position.epoch).not.toBe(position.epoch)
    const { n } = state.document as { n: number }
    expect(n).toBe(state.position.offset)
    expect(n).toBeGreaterThan(0)
    expect(n).toBeLessThanOrEqual(published)
    const history = await second.api.history(HISTORY)
    expect(history.publications.map(({ offset, data }) => [offset, data])).toEqual(
      Array.from({ length: history.position.offset }, (_, index) => [index + 1, { n: index + 1 }]),
    )
    // Even a position that the snapshot knows is of the old life.
    expect(await subscribe(second.server, STATE, { ...position, offset: 1 })).toMatchObject({ recovered: false })
  })

  it('whose disk is full goes on, says so, and keeps the last snapshot whole', { timeout: 60_000 }, async ({ skip }) => {
    if (process.platform !== 'linux') skip('/dev/full is of Linux')
    const { server, api } = await start()
    await api.publish(STATE, { n: 1 })
    await nextSnapshot(api)
    const whole = readFileSync(snapshotFile, 'utf8')
    symlinkSync('/dev/full', `${snapshotFile}.tmp`)
    await api.publish(STATE, { n: 2 })
    await eventually(async () => expect(await written(api, 'failed')).toBe(1), { timeoutMs: 10_000 })
    expect(readFileSync(snapshotFile, 'utf8')).toBe(whole)
    const failure = server.log.split('\n').find((line) => line.includes('"snapshot_failed"'))
    expect(JSON.parse(failure ?? '{}')).toMatchObject({ file: snapshotFile, err: { code: 'ENOSPC' } })
    expect((await subscribe(server, STATE)).document).toEqual({ n: 2 })
    await nextSnapshot(api)
    process.kill(server.pid, 'SIGKILL')
    await server.stop()
    const next = await start()
    expect((await subscribe(next.server, STATE)).document).toEqual({ n: 2 })
  })

  it('does not share it with another one, and does not start with a part of it', { timeout: 60_000 }, async () => {
    const { server, api } = await start()
    await api.publish(STATE, { n: 1 })
    await expect(start()).rejects.toThrow(`${snapshotFile} is in use`)
    expect((await subscribe(server, STATE)).document).toEqual({ n: 1 })
    await server.stop()
    truncateSync(snapshotFile, readFileSync(snapshotFile).byteLength - 10)
    await expect(start()).rejects.toThrow(`mv ${snapshotFile} ${snapshotFile}.broken`)
  })
})
