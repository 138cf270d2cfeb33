import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@fusewire/testkit'
import { expect, it } from 'vitest'
import { ConfigurationError } from '../config/configuration-error.ts'
import { resolveOptions } from '../config/resolve-options.ts'
import { tellingWorker } from './testing/telling-worker.ts'
import { Workers, WorkersError } from './workers.ts'

const OPTIONS = resolveOptions({
  development: true,
  tls: false,
  cleartextPort: 0,
  workers: 2,
  logLevel: 'silent',
  drainWindowMs: 0,
  drainTimeoutMs: 500,
})

/** Workers that do this in place of serving. */
const workersThat = (script: string): Workers => new Workers(OPTIONS, { file: process.execPath, args: ['-e', script] })

it('gives up when its workers end again and again at their start', async () => {
  const workers = workersThat('process.exit(3)')
  await expect(workers.listen()).rejects.toThrow(WorkersError)
  await expect(workers.closed).rejects.toThrow('The workers end again and again at their start')
})

it('gives up when there is no such program', async () => {
  const workers = new Workers(OPTIONS, { file: '/there/is/none', args: [] })
  await expect(workers.listen()).rejects.toThrow(WorkersError)
})

it('gives up when its workers are of another version, as after an update', async () => {
  const workers = workersThat(tellingWorker('hello', '0.0.1'))
  await expect(workers.listen()).rejects.toThrow('it is Fusewire 0.0.1')
})

it('replaces a worker that stands still', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-workers-'))
  const file = join(folder, 'started')
  const script = `require('node:fs').appendFileSync(${JSON.stringify(file)}, 'x'); ${tellingWorker('serving')}`
  const workers = new Workers(OPTIONS, { file: process.execPath, args: ['-e', script] }, { pingIntervalMs: 20 })
  await workers.listen()
  await eventually(() => expect(readFileSync(file, 'utf8').length).toBeGreaterThan(2), { timeoutMs: 10_000 })
  const closed = workers.close()
  workers.kill()
  await closed
  rmSync(folder, { recursive: true })
})

it('starts nothing when it is closed meanwhile', async () => {
  const workers = workersThat('setInterval(() => {}, 1000)')
  const listening = workers.listen()
  await workers.close()
  await expect(listening).rejects.toThrow('closed before it was started')
})

it('does not wait for workers that it has ended while they began', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-workers-'))
  const file = join(folder, 'started')
  const script = `require('node:fs').writeFileSync(${JSON.stringify(file)}, ''); setInterval(() => {}, 1000)`
  const workers = workersThat(script)
  const listening = expect(workers.listen()).rejects.toThrow('closed before it was started')
  await eventually(() => readFileSync(file), { timeoutMs: 10_000 })
  const closed = workers.close()
  workers.kill()
  await closed
  await listening
  rmSync(folder, { recursive: true })
})

it('refuses a port that somebody has, before anything is started', async () => {
  const server = createServer()
  const port = await new Promise<number>((resolve) =>
    server.listen({ port: 0, host: '127.0.0.1' }, () => resolve((server.address() as { port: number }).port)),
  )
  const workers = new Workers({ ...OPTIONS, cleartextPort: port }, { file: process.execPath, args: ['-e', 'process.exit(3)'] })
  await expect(workers.listen()).rejects.toThrow(ConfigurationError)
  server.close()
})

it.each([
  ['a key', { jwtPublicKeyFile: '/dev/null' }, 'jwtPublicKeyFile: /dev/null holds no PEM'],
  ['a broker', { broker: ['redis://127.0.0.1:1'], brokerTimeoutMs: 100 }, 'broker[0]: redis://127.0.0.1:1 takes no connections'],
])('refuses %s that no worker could use, before anything is started', async (_, wrong, message) => {
  const workers = new Workers({ ...OPTIONS, ...wrong }, { file: process.execPath, args: ['-e', 'process.exit(3)'] })
  const refusal = await workers.listen().catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(ConfigurationError)
  expect(refusal).toHaveProperty('message', expect.stringContaining(message))
})
