import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@fusewire/testkit'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type WatchFilesOptions, watchFiles } from './watch-files.ts'

const NEVER_MS = 3_600_000

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fusewire-watch-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const start = (options: Partial<WatchFilesOptions> = {}) => {
  const onChange = vi.fn()
  const paths = [join(directory, 'a'), join(directory, 'b')]
  const stop = watchFiles({ paths, onChange, debounceMs: 30, pollMs: NEVER_MS, ...options })
  onTestFinished(stop)
  return { onChange, stop }
}

describe('watchFiles', () => {
  it('calls once for a burst of changes', async () => {
    const { onChange } = start({ debounceMs: 200 })
    for (let i = 0; i < 20; i++) writeFileSync(join(directory, i % 2 ? 'a' : 'b'), String(i))
    await eventually(() => expect(onChange).toHaveBeenCalled())
    expect(onChange).toHaveBeenCalledOnce()
  })

  it('sees a file that comes, and one that is renamed into place', async () => {
    const { onChange } = start()
    writeFileSync(join(directory, 'a'), '')
    await eventually(() => expect(onChange).toHaveBeenCalledTimes(1))
    writeFileSync(join(directory, 'new'), '')
    renameSync(join(directory, 'new'), join(directory, 'b'))
    await eventually(() => expect(onChange.mock.calls.length).toBeGreaterThan(1))
  })

  it('polls from the start for a folder that is not there', async () => {
    const { onChange } = start({ paths: [join(directory, 'missing', 'a')], pollMs: 10 })
    await eventually(() => expect(onChange.mock.calls.length).toBeGreaterThan(2))
  })

  it('watches a folder again that has gone and come back', async () => {
    const folder = join(directory, 'mount')
    mkdirSync(folder)
    const { onChange } = start({ paths: [join(folder, 'a')], pollMs: 10 })
    rmSync(folder, { recursive: true })
    mkdirSync(folder)
    writeFileSync(join(folder, 'a'), '')
    const calls = onChange.mock.calls.length
    await eventually(() => expect(onChange.mock.calls.length).toBeGreaterThan(calls + 2))
  })

  it('says nothing after it was stopped, which may be done twice', async () => {
    const { onChange, stop } = start({ debounceMs: 1, pollMs: 1 })
    const witness = start({ debounceMs: 20 })
    writeFileSync(join(directory, 'a'), '')
    stop()
    stop()
    onChange.mockClear()
    await eventually(() => expect(witness.onChange).toHaveBeenCalled())
    expect(onChange).not.toHaveBeenCalled()
  })
})
