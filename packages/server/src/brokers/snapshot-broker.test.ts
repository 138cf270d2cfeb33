import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrokerListener, MemoryBroker, type PublishOptions } from '@fusewire/engine'
import { brokerContract, eventually, FakeEnvironment } from '@fusewire/testkit'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { SnapshotBroker } from './snapshot-broker.ts'

const KEPT: PublishOptions = { historySize: 10, historyTtlMs: 600_000, historyBytes: 1_000_000 }
const STATE: PublishOptions = { ...KEPT, state: { ttlMs: 600_000, maxDocumentBytes: 10_000 } }
const INTERVAL_MS = 10_000
const NOBODY: BrokerListener = { publication: () => undefined, interrupted: () => undefined, announcement: () => undefined }

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fusewire-snapshot-'))
  file = join(folder, 'snapshot.ndjson')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const setUp = (environment = new FakeEnvironment()) => {
  const events: [event: string, details: Record<string, unknown>][] = []
  const log = (event: string, details: object): unknown => events.push([event, details as Record<string, unknown>])
  const broker = new SnapshotBroker(new MemoryBroker(environment), environment, log, { file, intervalMs: INTERVAL_MS })
  onTestFinished(async () => {
    await broker.close()
  })
  return { broker, environment, events }
}

const start = async (environment?: FakeEnvironment) => {
  const all = setUp(environment)
  await all.broker.start(NOBODY)
  return all
}

/** Lets the interval pass, and waits for the snapshot. */
const nextSnapshot = async ({ broker, environment }: Awaited<ReturnType<typeof start>>): Promise<void> => {
  const { written, failed } = broker.stats
  environment.advance(INTERVAL_MS)
  broker.sweep()
  await eventually(() => broker.stats.written + broker.stats.failed > written + failed)
}

brokerContract(
  'SnapshotBroker',
  () => {
    file = join(folder, `${randomUUID()}.ndjson`)
    const { broker, environment } = setUp()
    const pass = (ms: number): void => {
      environment.advance(ms)
      broker.sweep()
    }
    return { broker, pass, idempotencyTtlMs: 300_000 }
  },
  { runs: 20 },
)

describe('a clean end', () => {
  it('is gone on from: history, document, keys and positions are those of before', async () => {
    const first = await start()
    first.broker.publish('doc', { data: { bytes: new Uint8Array([0, 255]), $odd: Number.NaN } }, STATE)
    const { position } = first.broker.publish('doc', { data: { n: 1 }, patch: true }, { ...STATE, idempotencyKey: 'k' })
    const before = [first.broker.history('doc', {}), first.broker.state('doc')]
    await first.broker.close()
    expect(readdirSync(folder)).toEqual(['snapshot.ndjson'])

    const second = await start()
    expect([second.broker.history('doc', {}), second.broker.state('doc')]).toStrictEqual(before)
    expect(second.broker.history('doc', { since: position })).toMatchObject({ complete: true, position })
    expect(second.broker.publish('doc', { data: 0 }, { ...STATE, idempotencyKey: 'k' })).toEqual({ position, duplicate: true })
    expect(second.events).toEqual([['snapshot_restored', { file, clean: true, channels: 1, idempotencyKeys: 1 }]])
  })

  it('takes no publication that the last snapshot would not have', async () => {
    const { broker } = await start()
    broker.publish('a', { data: 1 }, KEPT)
    const closed = broker.close()
    expect(() => broker.publish('a', { data: 2 }, KEPT)).toThrow(expect.objectContaining({ code: 'broker_unavailable' }))
    expect(() => broker.clearHistory('a')).toThrow(expect.objectContaining({ code: 'broker_unavailable' }))
    expect(() => broker.removeDocument('a')).toThrow(expect.objectContaining({ code: 'broker_unavailable' }))
    await closed
    await broker.close()
    const next = await start()
    expect(next.broker.history('a', {}).publications).toHaveLength(1)
  })

  it('counts once: its mark is gone before anything is published', async () => {
    const first = await start()
    first.broker.publish('a', { data: 1 }, KEPT)
    await first.broker.close()
    expect(readFileSync(file, 'utf8')).toContain('"clean":true')
    const size = readFileSync(file).byteLength
    await start()
    expect(readFileSync(file, 'utf8')).toContain('"clean":false')
    expect(readFileSync(file).byteLength).toBe(size)
  })
})

describe('an unclean end', () => {
  it('leaves what the last snapshot had, behind another epoch', async () => {
    const first = await start()
    first.broker.publish('doc', { data: { n: 1 } }, STATE)
    await nextSnapshot(first)
    const { position } = first.broker.publish('doc', { data: { n: 2 } }, STATE)
    const left = readFileSync(file)
    await first.broker.close()
    writeFileSync(file, left)

    const second = await start(first.environment)
    const page = second.broker.history('doc', { since: position })
    expect(page.complete).toBe(false)
    expect(page.position).toMatchObject({ offset: 1 })
    expect(second.broker.history('doc', { since: { ...position, offset: 1 } }).complete).toBe(false)
    expect(second.broker.state('doc')).toMatchObject({ document: { n: 1 } })
    expect(second.events).toMatchObject([['snapshot_restored', { clean: false, channels: 1 }]])
  })

  it.each([
    ['half written', (whole: Buffer) => whole.subarray(0, whole.length / 2)],
    ['whole, and not yet in its place', (whole: Buffer) => whole],
  ])('while the next snapshot was %s, leaves the last one, and is forgotten with the next', async (_, part) => {
    const first = await start()
    first.broker.publish('a', { data: 1 }, KEPT)
    await nextSnapshot(first)
    const last = readFileSync(file)
    first.broker.publish('a', { data: 2 }, KEPT)
    await nextSnapshot(first)
    const next = readFileSync(file)
    await first.broker.close()
    writeFileSync(file, last)
    writeFileSync(`${file}.tmp`, part(next))

    const second = await start(first.environment)
    expect(second.broker.history('a', {}).publications.map(({ data }) => data)).toEqual([1])
    second.broker.publish('a', { data: 3 }, KEPT)
    await nextSnapshot(second)
    await second.broker.close()
    expect(readdirSync(folder)).toEqual(['snapshot.ndjson'])
    const third = await start(first.environment)
    expect(third.broker.history('a', {}).publications.map(({ data }) => data)).toEqual([1, 3])
  })
})

describe('snapshots', () => {
  it('are written when their time has come and something has changed', async () => {
    const subject = await start()
    const { broker, environment } = subject
    broker.publish('a', { data: 1 }, KEPT)
    environment.advance(INTERVAL_MS - 1)
    broker.sweep()
    expect(broker.stats.written).toBe(0)
    environment.advance(1)
    broker.sweep()
    await eventually(() => broker.stats.written === 1)
    expect(broker.stats).toMatchObject({ bytes: readFileSync(file).byteLength, writtenAt: environment.now() })
    environment.advance(INTERVAL_MS)
    broker.sweep()
    broker.publish('a', { data: 2 }, KEPT)
    await nextSnapshot(subject)
    expect(broker.stats).toMatchObject({ written: 2, failed: 0 })
  })

  it('let everything else go on while a large one is written', async () => {
    const { broker, environment } = await start()
    for (let n = 0; n < 400; n++) broker.publish(`c${n}`, { data: 'x'.repeat(10_000) }, KEPT)
    environment.advance(INTERVAL_MS)
    broker.sweep()
    let turns = 0
    while (broker.stats.written === 0) {
      await new Promise(setImmediate)
      broker.publish('during', { data: ++turns }, KEPT)
    }
    expect(turns).toBeGreaterThan(20)
  })

  it('that find the disk full leave the last one whole, are told, and the next one tries again', async ({ skip }) => {
    if (process.platform !== 'linux') skip('/dev/full is of Linux')
    const subject = await start()
    const { broker, events } = subject
    broker.publish('a', { data: 1 }, KEPT)
    await nextSnapshot(subject)
    const whole = readFileSync(file, 'utf8')
    symlinkSync('/dev/full', `${file}.tmp`)
    broker.publish('a', { data: 2 }, KEPT)
    await nextSnapshot(subject)
    expect(events).toEqual([['snapshot_failed', { file, error: expect.objectContaining({ code: 'ENOSPC' }) }]])
    expect(broker.stats).toMatchObject({ written: 1, failed: 1 })
    expect(readFileSync(file, 'utf8')).toBe(whole)
    broker.publish('a', { data: 3 }, KEPT)
    await nextSnapshot(subject)
    expect(broker.stats).toMatchObject({ written: 2, failed: 1 })
    await broker.close()
    expect((await start()).broker.history('a', {}).publications.map(({ data }) => data)).toEqual([1, 2, 3])
  })

  it.each(['before it was begun', 'while it was written'])(
    'are not written over those of a server that has taken the file %s',
    async (when) => {
      const subject = await start()
      const { broker, environment, events } = subject
      const take = (): void =>
        writeFileSync(`${file}.lock`, JSON.stringify({ id: 'another', place: 'another machine', pid: 1, startedAt: '' }))
      for (let n = 0; n < 400; n++) broker.publish(`c${n}`, { data: 'x'.repeat(10_000) }, KEPT)
      const before = readFileSync(file, 'utf8')
      if (when === 'before it was begun') take()
      environment.advance(INTERVAL_MS)
      broker.sweep()
      if (when === 'while it was written') {
        while (!readdirSync(folder).includes('snapshot.ndjson.tmp')) await new Promise(setImmediate)
        take()
      }
      await eventually(() => broker.stats.failed === 1)
      expect(events).toEqual([['snapshot_failed', { file, error: expect.objectContaining({ name: 'LockHeld' }) }]])
      expect(readFileSync(file, 'utf8')).toBe(before)
    },
  )
})

describe('a file that cannot be used', () => {
  const problem = async (): Promise<string> => {
    const { broker } = setUp()
    try {
      await broker.start(NOBODY)
    } catch (error) {
      return (error as Error).message
    }
    return 'none'
  }

  const written = async (): Promise<string> => {
    const { broker } = await start()
    for (let n = 0; n < 20; n++) broker.publish('a', { data: `text ${n}` }, KEPT)
    await broker.close()
    return readFileSync(file, 'utf8')
  }

  it.each([
    ['is empty', () => ''],
    ['was not written by Fusewire', () => 'hello\nworld\n'],
    ['was not written by Fusewire', () => '{"format":"other","version":1}\n'],
    ['was written by another version of Fusewire (format 2;', (text: string) => text.replace('"version":1', '"version":2')],
    ['is not whole: its end is missing', (text: string) => text.slice(0, text.lastIndexOf('{"kind":"end"'))],
    ['is damaged in line', (text: string) => text.slice(0, text.length / 2)],
    ['is damaged: its checksum is wrong', (text: string) => text.replace('text 15', 'text 16')],
    ['is damaged in line 2', (text: string) => text.replace('"kind":"life"', '"kind":"lite"')],
    ['goes on after its end', (text: string) => `${text}${text.slice(text.indexOf('\n') + 1)}`],
  ])('keeps the server from starting, and says what to do: %s', async (expected, change) => {
    const changed = change(await written())
    writeFileSync(file, changed)
    const message = await problem()
    expect(message).toContain(`snapshotFile: ${file} ${expected}`)
    expect(message).toContain(`mv ${file} ${file}.broken`)
    expect(readFileSync(file, 'utf8')).toBe(changed)
    expect(readdirSync(folder)).toEqual(['snapshot.ndjson'])
  })

  it('is known by its last byte, wherever it is cut', async () => {
    const text = await written()
    for (let length = 1; length < text.length - 1; length += 97) {
      writeFileSync(file, text.slice(0, length))
      expect(await problem()).toMatch(/is damaged|is not whole|was not written/u)
    }
    writeFileSync(file, text)
    expect(await problem()).toBe('none')
  })

  it('may be one whose folder is missing, or that is a folder', async () => {
    file = join(folder, 'missing', 'snapshot.ndjson')
    expect(await problem()).toContain(`${join(folder, 'missing')} does not exist`)
    file = folder
    expect(await problem()).toContain('is a folder')
  })
})

describe('two servers', () => {
  it('do not share a file', async () => {
    const { broker } = await start()
    await expect(start()).rejects.toThrow(`${file} is in use: ${file}.lock is held by process ${process.pid}`)
    broker.publish('a', { data: 1 }, KEPT)
    await broker.close()
    await start()
  })
})
