/**
 * Adds the payloads to the golden messages of `spec/vectors` that have none yet: `node scripts/vectors.ts`. The messages are written
 * and checked by hand; their bytes come from the platform and from a MessagePack implementation other than ours. Bytes that are there
 * already stay as they are: a change of them is a change of the protocol.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { encode } from '@msgpack/msgpack'

interface GoldenMessage {
  readonly name: string
  readonly message: unknown
  readonly json?: string
  readonly msgpack?: string
}

/** Replaces `{"$bytes": "<hex>"}`, which is how the vectors write bytes. */
const withBytes = (value: unknown, write: (bytes: Buffer) => unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => withBytes(item, write))
  if ('$bytes' in value && typeof value.$bytes === 'string') return write(Buffer.from(value.$bytes, 'hex'))
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withBytes(field, write)]))
}

const complete = ({ json, msgpack, ...golden }: GoldenMessage): GoldenMessage => ({
  ...golden,
  json: json ?? JSON.stringify(withBytes(golden.message, (bytes) => bytes.toString('base64'))),
  msgpack: msgpack ?? Buffer.from(encode(withBytes(golden.message, (bytes) => Uint8Array.from(bytes)))).toString('hex'),
})

for (const name of ['client-messages.json', 'server-messages.json']) {
  const file = new URL(`../spec/vectors/${name}`, import.meta.url)
  const goldens = JSON.parse(readFileSync(file, 'utf8')) as GoldenMessage[]
  writeFileSync(file, `[\n${goldens.map((golden) => `  ${JSON.stringify(complete(golden))}`).join(',\n')}\n]\n`)
}
