import { expect, it } from 'vitest'
import type { Server } from './compose-server.ts'
import { Drain, type DrainHandlers } from './draining/drain.ts'
import { ServerLife } from './server-life.ts'

const ended = async (): Promise<void> => {}
const unused = (): never => {
  throw new Error('not to be called')
}

/** A server that is nothing but its drain, and counts how often it was to read its certificates. */
const fakeServer = (handlers: Partial<DrainHandlers> = {}): Server & { readonly reloads: () => number } => {
  let reloads = 0
  const drain: Drain = new Drain(
    { drainDelayMs: 0, drainWindowMs: 0, drainTimeoutMs: 1000 },
    { stop: () => {}, move: () => drain.left(), end: ended, cut: () => {}, release: ended, ...handlers },
  )
  const reloadCertificates = async (): Promise<void> => void reloads++
  return { listening: { urls: [] }, drain, reloadCertificates, reloads: () => reloads }
}

it('reads certificates again where there is a port, and then alone', async () => {
  const life = new ServerLife(ended)
  await life.reloadCertificates()
  const server = fakeServer()
  await life.open(async () => server)
  await life.reloadCertificates()
  expect(server.reloads()).toBe(1)
  await life.leave((drain) => drain.close())
  await life.reloadCertificates()
  expect(server.reloads()).toBe(1)
})

it('tells of a server that cannot be opened whoever opens it, and nobody else', async () => {
  const life = new ServerLife(unused)
  const failure = new Error('the port is taken')
  const opening = life.open(() => Promise.reject(failure))
  // Both while the start is under way.
  const others = [life.reloadCertificates(), life.leave(unused)]
  await expect(opening).rejects.toBe(failure)
  await Promise.all(others)
  await life.ended
})

it('says why it is not opened', async () => {
  const [opened, closed] = [new ServerLife(unused), new ServerLife(ended)]
  await opened.open(async () => fakeServer())
  await closed.leave(unused)
  await expect(opened.open(unused)).rejects.toThrow('listen() may be called once')
  await expect(closed.open(unused)).rejects.toThrow('was closed before it listened')
  expect(() => closed.assertIdle()).toThrow('was closed before it listened')
})

it('ends also where something cannot be closed, and says what', async () => {
  const failure = new Error('the file cannot be written')
  const idle = new ServerLife(() => Promise.reject(failure))
  const opened = new ServerLife(unused)
  await opened.open(async () => fakeServer({ release: () => Promise.reject(failure) }))
  for (const life of [idle, opened]) {
    const leave = () => life.leave((drain) => drain.close())
    await expect(leave()).rejects.toBe(failure)
    await expect(leave()).rejects.toBe(failure)
    await expect(life.ended).rejects.toBe(failure)
  }
})

it('closes what there is before a server is opened once', async () => {
  let closed = 0
  const life = new ServerLife(async () => void closed++)
  await Promise.all([life.leave(unused), life.leave(unused)])
  await life.ended
  expect(closed).toBe(1)
})
