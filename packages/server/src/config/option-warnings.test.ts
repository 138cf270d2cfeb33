import { describe, expect, it } from 'vitest'
import { BAD_PORTS, optionWarnings } from './option-warnings.ts'
import type { FusewireInput } from './options.ts'
import { resolveOptions } from './resolve-options.ts'

const warningsOf = (input: FusewireInput) =>
  optionWarnings(resolveOptions({ allowAnonymous: true, ...input }, { nodeEnv: undefined }))

describe('a port that browsers refuse', () => {
  it.each([...BAD_PORTS])('is %d, which fetch refuses too', async (port) => {
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ cause: { message: 'bad port' } })
  })

  it('is warned of, by the name of its option', () => {
    expect(warningsOf({ port: 6000, cleartextPort: 10_080 })).toEqual([
      expect.stringMatching(/^port: browsers and fetch refuse port 6000, /u),
      expect.stringMatching(/^cleartextPort: browsers and fetch refuse port 10080, /u),
    ])
  })

  it.each([
    [{}],
    [{ port: 0, cleartextPort: 0 }],
    [{ port: 443, cleartextPort: 80 }],
    [{ tls: false, port: 6000, cleartextPort: 8080 }],
  ] satisfies [FusewireInput][])('is none of %j', (input) => {
    expect(warningsOf(input)).toEqual([])
  })
})
