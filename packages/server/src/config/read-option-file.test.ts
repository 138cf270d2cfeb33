import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fileProblem, readOptionFile } from './read-option-file.ts'

describe('readOptionFile', () => {
  it.each([
    ['ENOENT', 'does not exist'],
    ['EACCES', 'must not be read by the user that the server runs as'],
    ['EISDIR', 'is a folder'],
    ['EMFILE', 'cannot be used (EMFILE)'],
  ])('says what %s means, with the full path', (code, meaning) => {
    const problem = fileProblem('keys/tls.key', Object.assign(new Error('system words'), { code }))
    expect(problem).toContain(`${resolve('keys/tls.key')} ${meaning}`)
  })

  it('names the option', () => {
    expect(() => readOptionFile('no/such/file', 'tlsKeyFile')).toThrow(`tlsKeyFile: ${resolve('no/such/file')} does not exist`)
  })
})
