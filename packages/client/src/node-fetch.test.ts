import { expect, test, vi } from 'vitest'
import { findFetch } from './node-fetch.ts'

const asked = new Error('asked')

test('makes its requests over HTTP/1.1, also from a pool that would choose HTTP/2', async () => {
  const pool = {
    dispatch: vi.fn((_options: object): boolean => {
      throw asked
    }),
    destroy: async () => undefined,
  }
  await expect(findFetch(pool)?.('https://localhost/', { method: 'POST' })).rejects.toMatchObject({ cause: asked })
  expect(pool.dispatch.mock.calls[0]?.[0]).toMatchObject({ method: 'POST', path: '/', allowH2: false })
})
