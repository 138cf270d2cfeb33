import { nodeBusContract, turn } from '@fusewire/testkit'
import { beforeEach, expect, it } from 'vitest'
import { MemoryBus } from './memory-bus.ts'

let shared = new MemoryBus()
beforeEach(() => {
  shared = new MemoryBus()
})

nodeBusContract('MemoryBus', () => shared.node())

it('sends nothing before it is started, and hears nothing while its listener is being called', async () => {
  const [a, b] = [shared.node(), shared.node()]
  const heard: string[] = []
  b.start('b', {
    message: () => {
      b.send(new Uint8Array(1), 'b')
      heard.push('message')
      if (heard.length > 2) b.close()
    },
  })
  a.send(new Uint8Array(1))
  await turn()
  expect(heard).toEqual([])
  a.start('a', { message: () => {} })
  a.send(new Uint8Array(1))
  await turn()
  expect(heard).toEqual(['message', 'message', 'message'])
})
