import { expect, it } from 'vitest'
import { reportOrigin } from './report-origin.ts'

it('[L18] writes no more of an origin than the name of a host may have', () => {
  const lines: object[] = []
  const log = (_: string, details: object) => lines.push(details)
  reportOrigin({ log }, { origin: 'x'.repeat(16_000), transport: 'sse', remoteAddress: '192.0.2.1' })
  reportOrigin({ log }, { origin: undefined, transport: 'sse', remoteAddress: undefined })
  expect(lines).toMatchObject([{ origin: 'x'.repeat(255) }, { origin: undefined }])
})
