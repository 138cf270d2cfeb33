/**
 * Bundles the client as an application would and fails when it is larger than promised.
 * Run by the build, and by `npm run size -w packages/client`.
 */
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'

const LIMIT_BYTES = 10_000

const bundle = async (entry: string): Promise<string> => {
  const build = await rolldown({
    input: fileURLToPath(new URL(`../src/${entry}`, import.meta.url)),
    platform: 'browser',
    resolve: { conditionNames: ['@fusewire/source', 'import', 'default'] },
  })
  const { output } = await build.generate({ format: 'esm', minify: true, codeSplitting: false })
  await build.close()
  return output.map((chunk) => (chunk.type === 'chunk' ? chunk.code : '')).join('')
}

const gzippedBytes = (code: string): number => gzipSync(code, { level: 9 }).length

const client = await bundle('index.ts')
const bytes = gzippedBytes(client)
console.log(`client: ${bytes} bytes gzipped (${client.length} minified), limit ${LIMIT_BYTES}`)
console.log(`msgpack codec: ${gzippedBytes(await bundle('msgpack.ts'))} bytes gzipped`)
if (bytes > LIMIT_BYTES) {
  console.error(`client: ${bytes - LIMIT_BYTES} bytes over the limit`)
  process.exitCode = 1
}
