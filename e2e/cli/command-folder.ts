import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { FusewireCommand, runFusewire } from '../fusewire-command.ts'

/** An empty folder for one test, and the commands that are run in it. */
export const commandFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-e2e-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))

  const start = (args: readonly string[], environment: Record<string, string> = {}): FusewireCommand =>
    new FusewireCommand(args, { folder, environment })

  const run = (args: readonly string[], environment: Record<string, string> = {}, input?: string) =>
    runFusewire(args, { folder, environment, ...(input === undefined ? {} : { input }) })

  /** Starts a server that prints JSON and waits for its URLs. */
  const serve = async (...args: string[]) => {
    const server = start(['serve', '--port', '0', '--log-format', 'json', ...args])
    const [line] = await server.until('out', /^\{.*\}$/mu)
    const { urls, certificate } = JSON.parse(line) as { urls: string[]; certificate?: { fingerprint: string } }
    return { server, url: urls[0] ?? '', urls, certificate }
  }

  return { folder, start, run, serve }
}

/** What a command has printed where it prints JSON. */
export const lines = (text: string): unknown[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
