import { afterEach, expect, test, vi } from 'vitest'
import { createPool } from './pool.ts'

const SHARED = Symbol.for(`undici.globalDispatcher.${Number.parseInt(process.versions.undici ?? '', 10) >= 8 ? 2 : 1}`)
const globals = globalThis as { [name: symbol]: object | undefined }
// Node makes its pool when it is asked for one of the classes that use it.
void globalThis.WebSocket
const shared = globals[SHARED]

afterEach(() => {
  if (shared) globals[SHARED] = shared
  vi.unstubAllGlobals()
})

test.runIf(shared)('a pool of its own stands beside the one that is shared, and serves fetch', async () => {
  const pool = createPool()
  expect(pool).toBeInstanceOf(shared?.constructor)
  expect(pool).not.toBe(shared)
  await expect(fetch('data:,hello', { dispatcher: pool } as RequestInit).then((response) => response.text())).resolves.toBe(
    'hello',
  )
  await pool?.destroy()
})

test.runIf(shared)('a pool that the program has chosen, a proxy perhaps, is not passed by', () => {
  class ProxyAgent {}
  globals[SHARED] = new ProxyAgent()
  expect(createPool()).toBeUndefined()
})
