import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished } from 'vitest'
import { Program } from './program.ts'
import { serverTest } from './server-test.ts'
import { DEVELOPMENT } from './server-variants.ts'
import { hasTool } from './tools.ts'

const it = serverTest(DEVELOPMENT)

const run = async (...args: string[]): Promise<string> => {
  const nghttp = new Program('nghttp', ['--no-verify-peer', ...args])
  expect(await nghttp.exit(), nghttp.err).toBe(0)
  return nghttp.out
}

describe.skipIf(!hasTool('nghttp'))('nghttp', () => {
  it('is offered extended CONNECT, and no more streams than are good for it', async ({ server }) => {
    for (const base of [server.https, server.http]) {
      const out = await run('--verbose', '--null-out', `${base}/livez`)
      expect(out).toMatch(/SETTINGS_ENABLE_CONNECT_PROTOCOL\(0x08\):1/u)
      expect(out).toMatch(/SETTINGS_MAX_CONCURRENT_STREAMS\(0x03\):200/u)
      expect(out).toMatch(/:status: 200/u)
    }
  })

  it('publishes, and reads it again, with many requests on one connection', async ({ server, api }) => {
    const folder = mkdtempSync(join(tmpdir(), 'fusewire-e2e-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const body = join(folder, 'publish.json')
    writeFileSync(body, '{"channel":"nghttp","data":"from nghttp"}')
    const json = ['--header', 'content-type: application/json', '--data', body]
    expect(JSON.parse(await run(...json, `${server.https}/v1/publish`))).toMatchObject({ position: { offset: 1 } })
    await run(...json, '--null-out', '--multiply', '50', `${server.https}/v1/publish`)
    expect((await api.history('nghttp')).position.offset).toBe(51)
    expect(await run(`${server.https}/v1/channels/nghttp/history?limit=1`)).toContain('"from nghttp"')
  })
})
