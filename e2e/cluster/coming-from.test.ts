import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { signToken } from '@fusewire/server/token'
import { describeWith, eventually, freePorts, startRedis } from '@fusewire/testkit'
import { expect, it, onTestFinished, vi } from 'vitest'
import { commandFolder } from '../cli/command-folder.ts'

// Several processes are started.
vi.setConfig({ testTimeout: 120_000 })

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url))
const IMPORTS = `import { EventSource } from 'eventsource'
import { FusewireClient } from '@fusewire/client'
import { createFusewire } from '@fusewire/server'
import { signToken } from '@fusewire/server/token'
const { TOKEN: token } = process.env
`
const PATIENCE = { timeoutMs: 40_000 }

const page = readFileSync(new URL('../../docs/coming-from.md', import.meta.url), 'utf8')

/** What a section of the page has to run, in order; what comes first under `From …` is the other's. */
const blocksOf = (heading: string): readonly string[] => {
  const section = page.split(/^## /mu).find((text) => text.startsWith(`${heading}\n`)) ?? ''
  const blocks = [...section.matchAll(/^```\w+\n(.*?)^```/gmsu)].map(([, code = '']) => code)
  return heading.startsWith('From ') ? blocks.slice(1) : blocks
}

/** The page's two nodes over a Redis, on ports that the system chooses, and its programs in their folder. */
const startNodes = async () => {
  const [configuration = '', commands = ''] = blocksOf('A server for the programs below')
  const [secret = ''] = /(?<=jwtSecret: ).*/u.exec(configuration) ?? []
  const [key = ''] = /(?<=apiKeys: \[).*(?=\])/u.exec(configuration) ?? []
  const redis = await startRedis()
  onTestFinished(() => redis[Symbol.asyncDispose]())
  const { folder, start } = commandFolder()
  symlinkSync(MODULES, join(folder, 'node_modules'))
  writeFileSync(join(folder, 'fusewire.yaml'), configuration)
  const ports: string[] = []
  for (const command of commands.split('\n').filter((line) => line.startsWith('fusewire serve '))) {
    const args = command.replace('6379', String(redis.port)).replace(/(?<=--port )\d+/u, '0')
    const node = start(args.split(' ').slice(1))
    onTestFinished(() => node[Symbol.asyncDispose]())
    const [, port = ''] = await node.until('out', /"https:\/\/localhost:(\d+)"/u)
    ports.push(port)
  }
  const certificate = join(folder, '.fusewire/development-certificate.pem')
  const environment = {
    ...process.env,
    CURL_CA_BUNDLE: certificate,
    NODE_EXTRA_CA_CERTS: certificate,
    FUSEWIRE_JWT_SECRET: secret,
    KEY: key,
    TOKEN: await signToken({ user: 'ada' }, { secret }),
  }
  const run = (command: string, args: readonly string[]) => {
    const child = spawn(command, args, { cwd: folder, env: environment })
    const ended = once(child, 'close')
    onTestFinished(async () => {
      child.kill('SIGKILL')
      await ended
    })
    const output = { said: '', ended }
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        output.said += text
      })
    return output
  }
  return {
    ports,
    /** A program of the page, with what it imports, on a port. */
    program: (code: string, port: string) => {
      const file = join(folder, `${randomUUID()}.mjs`)
      writeFileSync(file, IMPORTS + code.replaceAll('8443', port).replaceAll('6379', `${redis.port}/1`))
      return run(process.execPath, [file])
    },
    /** The page's `curl`, with another channel and other data where they are given. */
    publish: async (port: string, body?: { channel: string; data: unknown }) => {
      const [command = ''] = /^curl .*$/mu.exec(commands) ?? []
      const written = body ? command.replace(/(?<=-d ').*(?=')/u, JSON.stringify(body)) : command
      const curl = run('sh', ['-c', written.replace('8444', port)])
      await curl.ended
      return curl.said
    },
  }
}

describeWith(['redis-server'], 'the programs of docs/coming-from.md', () => {
  it('hear on one node what the backend publishes on another, or serve by themselves', async () => {
    const { ports, program, publish } = await startNodes()
    const [own = 0] = await freePorts(1)
    const [first = '', second = ''] = ports
    const start = (heading: string, port = first) => program(blocksOf(heading)[0] ?? '', port)
    const [centrifugo, mercure, pusher] = ['From Centrifugo', 'From Mercure', 'From soketi or Pusher'].map((name) => start(name))
    const socketIo = start('From Socket.IO', String(own))
    await eventually(async () => {
      expect(await publish(second)).toContain('"duplicate":false')
      await publish(second, { channel: 'https://example.com/books/1', data: { status: 'out' } })
      await publish(second, { channel: 'orders:7', data: { event: 'shipped', id: 42 } })
      expect(centrifugo?.said).toContain("{ text: 'hi' }\n")
      expect(mercure?.said).toContain("{ status: 'out' }\n")
      expect(pusher?.said).toContain('42\n')
      expect(socketIo.said).toMatch(/^6\n[\s\S]*^hi\n/mu)
    }, PATIENCE)
  })
})
