import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { harmTest } from '../bystanders.ts'
import { runFusewire } from '../fusewire-command.ts'
import { DEVELOPMENT } from '../server-variants.ts'

const it = harmTest(DEVELOPMENT)

const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-e2e-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

it.for([
  { flag: '--port', name: 'httpsPort', others: [] },
  { flag: '--cleartext-port', name: 'httpPort', others: ['--port', '0'] },
] as const)(
  'a second server on a $flag in use says so, and the first one goes on',
  async ({ flag, name, others }, { server }) => {
    const port = server[name]
    const args = ['serve', '--development', ...others, flag, `${port}`]
    const { code, out, err } = await runFusewire(args, { folder: temporaryFolder() })
    expect(err).toContain(`Port ${port} is in use on 127.0.0.1.`)
    expect(err).toContain(flag)
    expect({ code, out }).toEqual({ code: 1, out: '' })
  },
)

it.for([
  { name: 'that is missing', content: undefined, says: /tlsKeyFile.*does not exist/u },
  { name: 'that is empty', content: '', says: /tlsKeyFile/u },
  { name: 'that is no PEM', content: 'a key, honestly', says: /tlsKeyFile/u },
])('a key file $name keeps a server from starting, and the message names the option', async ({ content, says }, { server }) => {
  const folder = temporaryFolder()
  if (content !== undefined) writeFileSync(join(folder, 'tls.key'), content)
  const file = { development: true, port: 0, tlsCertFile: server.certificateFile, tlsKeyFile: 'tls.key' }
  writeFileSync(join(folder, 'fusewire.yaml'), JSON.stringify(file))
  const { code, out, err } = await runFusewire(['serve'], { folder })
  expect(err).toMatch(says)
  expect(err).toContain('tls.key')
  expect({ code, out }).toEqual({ code: 2, out: '' })
})

it.for([
  { name: 'an unknown key', file: { pingInterval: 25_000 }, says: /pingInterval .*did you mean pingIntervalMs\?/u },
  {
    name: 'an unknown key of a rule',
    file: { rules: [{ pattern: 'a', histroySize: 1 }] },
    says: /histroySize.*did you mean historySize\?/u,
  },
  { name: 'a wrong unit', file: { sessionTtlMs: '1m' }, says: /sessionTtlMs .*write 60000/u },
  { name: 'a size out of its range', file: { maxMessageBytes: -1 }, says: /maxMessageBytes /u },
])('a file with $name keeps a server from starting, and says what to write', async ({ file, says }) => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'fusewire.yaml'), JSON.stringify({ development: true, ...file }))
  const { code, out, err } = await runFusewire(['serve', '--port', '0'], { folder })
  expect(err).toMatch(says)
  expect({ code, out }).toEqual({ code: 2, out: '' })
})
