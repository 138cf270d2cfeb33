import { eventually } from '@fusewire/testkit'
import { expect, it } from 'vitest'
import { FusewireProcess } from '../fusewire-process.ts'
import { DEVELOPMENT } from '../server-variants.ts'

/** Has the server print the size of V8's new space when it is asked to. */
const TELLING = `import { getHeapSpaceStatistics } from 'node:v8'
process.on('SIGUSR2', () => {
  const { space_size } = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')
  console.error('new space: ' + space_size + ' bytes')
})`

const MIB = 1024 * 1024

it('serve begins with a small new space, whatever has been loaded', async () => {
  const preload = `--import=data:text/javascript,${encodeURIComponent(TELLING)}`
  await using server = await FusewireProcess.start(DEVELOPMENT, { nodeFlags: [preload] })
  server.signal('SIGUSR2')
  const bytes = await eventually(() => Number(/^new space: (\d+) bytes$/mu.exec(server.log)?.[1] ?? 0) || false)
  expect(bytes).toBeLessThanOrEqual(16 * MIB)
})
