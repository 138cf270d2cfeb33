import { describe, expect, it } from 'vitest'
import type { ChannelContext } from './channel-log.ts'
import { Channels } from './channels.ts'

const CONTEXT = { stream: { writtenAt: (channel: string) => channel } } as ChannelContext

const namesOf = (channels: Channels): string[] => channels.all().map(({ log }) => log.name)

describe('Channels', () => {
  it('gives the same channel for the same name', () => {
    const channels = new Channels(4)
    const channel = channels.of('a', CONTEXT)
    expect(channels.of('a', CONTEXT)).toBe(channel)
    expect(channels.get('a')).toBe(channel)
    expect(channels.get('b')).toBeUndefined()
  })

  it('forgets half of the idle ones when there are too many, those that were not used for longest', () => {
    const channels = new Channels(4)
    for (const name of ['a', 'b', 'c', 'd', 'a']) channels.of(name, CONTEXT)
    expect(namesOf(channels)).toEqual(['a', 'b', 'c', 'd'])
    channels.of('e', CONTEXT)
    expect(namesOf(channels).sort()).toEqual(['a', 'd', 'e'])
    for (const name of ['f', 'g']) channels.of(name, CONTEXT)
    expect(namesOf(channels).sort()).toEqual(['e', 'f', 'g'])
  })

  it('does not forget one that has something to do, however long ago it began', () => {
    const channels = new Channels(4)
    void channels.of('a', CONTEXT).inTurn(() => undefined)
    for (const name of ['b', 'c', 'd', 'e', 'f', 'g']) channels.of(name, CONTEXT)
    expect(namesOf(channels)).toContain('a')
    expect(namesOf(channels)).not.toContain('b')
  })

  it('forgets those that become idle by themselves, all at once', async () => {
    const channels = new Channels(4)
    const done = Array.from({ length: 20 }, (_, index) => channels.of(`${index}`, CONTEXT).inTurn(() => undefined))
    channels.trim()
    expect(namesOf(channels)).toHaveLength(20)
    await Promise.all(done)
    // Those who are done are told before their channel is idle.
    await new Promise(setImmediate)
    channels.trim()
    expect(namesOf(channels)).toEqual(Array.from({ length: 10 }, (_, index) => `${index + 10}`))
    channels.trim()
    channels.trim()
    expect(namesOf(channels)).toEqual(['18', '19'])
  })

  it('knows none after it was cleared', () => {
    const channels = new Channels(4)
    channels.of('a', CONTEXT)
    channels.clear()
    expect(namesOf(channels)).toEqual([])
  })
})
