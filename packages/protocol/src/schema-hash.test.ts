import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { HASH_FILE, schemaHash } from '../../../scripts/protocol-docs.ts'

it('[V1] the wire format changes only with a new PROTOCOL_VERSION', () => {
  const advice =
    'raise PROTOCOL_VERSION and run npm run docs; before the first release: delete spec/vectors/schema-hash.json and run it'
  expect(schemaHash(), advice).toEqual(JSON.parse(readFileSync(HASH_FILE, 'utf8')))
})
