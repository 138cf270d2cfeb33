import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect } from 'vitest'
import { serverTest } from '../server-test.ts'
import { DEVELOPMENT } from '../server-variants.ts'

const PROGRAM = fileURLToPath(new URL('giving-up.mjs', import.meta.url))

/** Of two seconds, and of 200 MB. What makes frames without end has used the rest up before the machine is in need. */
const [DEADLINE_MS, MOST_KILOBYTES] = [60_000, 1_000_000]

const it = serverTest({ ...DEVELOPMENT, logLevel: 'warn' })

describe("the SDK over Node's own fetch", () => {
  it('goes on when a message is given up in the moment in which it leaves', { timeout: 2 * DEADLINE_MS }, async ({ server }) => {
    const script = `ulimit -d ${MOST_KILOBYTES}; exec "$0" "$@"`
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: server.certificateFile }
    const killed = { timeout: DEADLINE_MS, killSignal: 'SIGKILL' } as const
    const args = ['-c', script, process.execPath, PROGRAM, server.https]
    await expect(promisify(execFile)('sh', args, { env, ...killed })).resolves.toMatchObject({ stdout: 'given up\n' })
  })
})
