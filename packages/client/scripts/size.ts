/**
 * Bundles the client as an application would, without and with documents, and fails when it is larger than promised.
 * Run by the build, and by `npm run size -w packages/client`.
 */
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'

/** Gzipped, of each entry of the package: 10 and 11 KB of 1,024 bytes. */
const LIMIT_BYTES = { 'index.ts': 10_240, 'state.ts': 11_264 }

const bundle = async (entry: string): Promise<string> => {
  const build = await rolldown({
    input: fileURLToPath(new URL(`../src/${entry}`, import.meta.url)),
    platform: 'browser',
    resolve: { conditionNames: ['@fusewire/source', 'browser', 'import', 'default'] },
  })
  const { output } = await build.generate({ format: 'esm', minify: true, comments: false, codeSplitting: false })
  await build.close()
  return output.map((chunk) => (chunk.type === 'chunk' ? chunk.code : '')).join('')
}

const gzippedBytes = (code: string): number => gzipSync(code, { level: 9 }).length

for (const [entry, limit] of Object.entries(LIMIT_BYTES)) {
  const code = await bundle(entry)
  const bytes = gzippedBytes(code)
  console.log(`${entry}: ${bytes} bytes gzipped (${code.length} minified), limit ${limit}`)
  if (bytes > limit) {
    console.error(`${entry}: ${bytes - limit} bytes over the limit`)
    process.exitCode = 1
  }
}
console.log(`msgpack.ts: ${gzippedBytes(await bundle('msgpack.ts'))} bytes gzipped, beside either`)
