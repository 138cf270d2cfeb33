import { expect, onTestFinished, test, vi } from 'vitest'
import { Failure } from './failure.ts'
import { findFetch } from './node-fetch.ts'
import type { Pool } from './pool.ts'

const poolThatThrows = (error: unknown) => ({
  dispatch: vi.fn((_options: object): boolean => {
    throw error
  }),
  destroy: async () => undefined,
})

const failureOf = async (pool: Pool, init: RequestInit = {}, origin = 'https://localhost:8443'): Promise<unknown> =>
  findFetch(pool)?.(`${origin}/fusewire/v1/poll`, init).catch((error: unknown) => error)

test('makes its requests over HTTP/1.1, also from a pool that would choose HTTP/2', async () => {
  const pool = poolThatThrows(new Error('asked'))
  await failureOf(pool, { method: 'POST' })
  expect(pool.dispatch.mock.calls[0]?.[0]).toMatchObject({ method: 'POST', path: '/fusewire/v1/poll', allowH2: false })
})

test('says why a request has failed', async () => {
  const reset = new Error('read ECONNRESET')
  const failure = await failureOf(poolThatThrows(reset))
  expect(failure).toBeInstanceOf(Failure)
  expect(failure).toMatchObject({ kind: 'unreachable', message: 'the request failed: read ECONNRESET', cause: { cause: reset } })
  // What Node throws when no address of a host can be connected to.
  const refused = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })
  expect(await failureOf(poolThatThrows(refused))).toMatchObject({ message: 'the request failed: ECONNREFUSED' })
  const aborted = await failureOf(poolThatThrows(reset), { signal: AbortSignal.abort() })
  expect(aborted).toMatchObject({ name: 'AbortError' })
})

test('says what to do about a certificate that is not trusted, and warns of it once', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockReturnValue()
  onTestFinished(() => warn.mockRestore())
  const pool = poolThatThrows(Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }))
  // One that nobody has been warned of, however often this runs.
  const origin = `https://${crypto.randomUUID()}.localhost`
  const message = `the certificate of ${origin} is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT): name it, or that of its issuer, in NODE_EXTRA_CA_CERTS; a development server keeps its own in .fusewire/development-certificate.pem`
  for (const _ of ['one', 'another']) expect(await failureOf(pool, {}, origin)).toMatchObject({ kind: 'unreachable', message })
  expect(warn.mock.calls).toEqual([[message, { code: 'FUSEWIRE_CERTIFICATE_NOT_TRUSTED' }]])
})
