import { expect, it } from 'vitest'
import { ForeignStreamError, JETSTREAM_CODES, JetStreamError, NoRespondersError, unavailable } from './nats-error.ts'
import type { NatsSession } from './nats-session.ts'
import { StreamCheck } from './stream-check.ts'

const ATTEMPT_MS = 700
const LONG_MS = 60_000

const sessionOf = (name: string) => ({ name, isOpen: true }) as NatsSession
const session = sessionOf('one')
const inTime = (ms = LONG_MS) => performance.now() + ms

/** Rejects with these, one after the other, and then no more. */
const checkOf = (...reasons: Error[]) => {
  const asked: (number | undefined)[] = []
  const check = new StreamCheck({
    name: 'records',
    attemptMs: ATTEMPT_MS,
    check: async (_, attemptMs) => {
      asked.push(attemptMs)
      const reason = reasons.shift()
      if (reason) throw reason
    },
  })
  return { check, asked }
}

it('asks again what is not answered within the time of an attempt, or may be answered otherwise in a moment', async () => {
  const { temporarilyUnavailable, noSuitablePeers } = JETSTREAM_CODES
  const reasons = [
    unavailable('no answer within 700 ms'),
    new NoRespondersError(),
    new JetStreamError(temporarilyUnavailable, 'no leader'),
    new JetStreamError(noSuitablePeers, 'no suitable peers for placement'),
  ]
  const { check, asked } = checkOf(...reasons)
  await check.pass(session, inTime())
  expect(asked).toEqual(Array(5).fill(ATTEMPT_MS))
})

it('asks once for all who wait, once for each connection, and again where there is doubt', async () => {
  const { check, asked } = checkOf()
  await Promise.all([check.pass(session, inTime()), check.pass(session, inTime())])
  await check.pass(session, inTime())
  expect(asked.length).toBe(1)
  const other = sessionOf('other')
  expect(check.hasPassed(other)).toBe(false)
  await check.pass(other, inTime())
  expect([check.hasPassed(session), check.hasPassed(other)]).toEqual([false, true])
  check.doubt()
  expect(check.hasPassed(other)).toBe(false)
  await check.pass(other, inTime())
  expect(asked.length).toBe(3)
})

it.each([
  ['is none of ours', new ForeignStreamError('a stream that is none of ours'), 'a stream that is none of ours'],
  ['cannot be made', new JetStreamError(10_047, 'insufficient storage resources available'), 'insufficient storage'],
])('rejects at once, and names the reason, when the stream %s', async (_, reason, words) => {
  const { check, asked } = checkOf(reason)
  await expect(check.pass(session, inTime())).rejects.toThrow(words)
  expect(asked.length).toBe(1)
})

it('rejects at the deadline with the last reason as the cause', async () => {
  const reason = unavailable('no answer within 700 ms')
  const { check } = checkOf(...Array<Error>(100).fill(reason))
  await expect(check.pass(session, inTime(50))).rejects.toMatchObject({ code: 'broker_unavailable', cause: reason })
})

it('waits no longer than to the deadline for a question that another has asked', async () => {
  const check = new StreamCheck({ name: 'records', attemptMs: ATTEMPT_MS, check: () => new Promise<void>(() => undefined) })
  await expect(check.pass(session, inTime(50))).rejects.toMatchObject({ code: 'broker_unavailable' })
})

it('gives up with the connection', async () => {
  const ended = unavailable('the connection has ended')
  const { check, asked } = checkOf(ended)
  await expect(check.pass({ ...session, isOpen: false } as NatsSession, inTime())).rejects.toBe(ended)
  expect(asked.length).toBe(1)
})

it('leaves no timers behind', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const { check } = checkOf(new NoRespondersError(), new NoRespondersError())
  const before = timers()
  await Promise.all(Array.from({ length: 50 }, () => check.pass(session, inTime())))
  expect(timers() - before).toBeLessThan(50)
})
