import { expect, it } from 'vitest'
import { writtenData } from './written-data.ts'

it('is what JSON makes of it, except that byte arrays stay', () => {
  const bytes = new Uint8Array([1])
  const data = {
    at: new Date(0),
    gone: undefined,
    call: () => 1,
    list: [undefined, { deep: new Date(0), gone: undefined }],
    bytes,
    nil: null,
  }
  expect(writtenData(data)).toStrictEqual({
    at: '1970-01-01T00:00:00.000Z',
    list: [null, { deep: '1970-01-01T00:00:00.000Z' }],
    bytes,
    nil: null,
  })
  expect(writtenData('text')).toBe('text')
  expect(writtenData(JSON.parse('{"__proto__":{"a":1}}'))).toEqual(JSON.parse('{"__proto__":{"a":1}}'))
})
