import type { PublishOptions } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { channelKeys } from './channel-keys.ts'
import { encodeDraft } from './draft-code.ts'
import { PublicationGatherer } from './publication-gatherer.ts'

const KEPT: PublishOptions = { historySize: 10, historyTtlMs: 1_000, historyBytes: 5_000 }

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('PublicationGatherer', () => {
  let sent: string[][]
  let answered: string[]
  let problem: FusewireError | undefined
  let gatherer: PublicationGatherer

  const add = (channel: string, data: unknown, options = KEPT) =>
    gatherer.add(channel, channelKeys('p', channel), { data }, encodeDraft({ data }), options)

  beforeEach(() => {
    sent = []
    answered = []
    problem = undefined
    gatherer = new PublicationGatherer(
      (_, args) => {
        sent.push([...args])
        return problem ? Promise.reject(problem) : Promise.resolve(['e', 7, 1_000])
      },
      (channel, { data }, position) => {
        if (data === 'thrown') throw new Error('the listener')
        answered.push(`${channel}${position.offset} ${data}`)
        return { position, duplicate: false }
      },
    )
  })

  it('sends what a channel is given in one turn as one call, and answers each with its own offset', async () => {
    const published = await Promise.all([add('a', 'one'), add('b', 'other'), add('a', 'two')])
    expect(sent).toEqual([
      ['p:{a}:p', '10', '1000', '5000', '14', '14', '{"data":"one"}', '{"data":"two"}'],
      ['p:{b}:p', '10', '1000', '5000', '16', '{"data":"other"}'],
    ])
    expect(published.map(({ position }) => position.offset)).toEqual([7, 7, 8])
    expect(answered).toEqual(['a7 one', 'a8 two', 'b7 other'])
  })

  it('sends what is asked for before anything else is asked about the channel', async () => {
    const published = add('a', 'one')
    gatherer.flush('b')
    expect(sent).toEqual([])
    gatherer.flush('a')
    expect(sent).toHaveLength(1)
    await published
    await turn()
    expect(sent).toHaveLength(1)
  })

  it('does not wait for the end of the turn with more than a call is to have', async () => {
    const small = Array.from({ length: 70 }, (_, n) => add('a', n))
    expect(sent.map((args) => (args.length - 4) / 2)).toEqual([64])
    const large = add('b', 'x'.repeat(70_000))
    expect(sent).toHaveLength(2)
    await Promise.all([...small, large])
    expect(sent.map((args) => (args.length - 4) / 2)).toEqual([64, 1, 6])
  })

  it('does not mix what is kept in different ways', async () => {
    const ways = [KEPT, { ...KEPT, historySize: 0 }, { ...KEPT, historyTtlMs: 1 }, { ...KEPT, historyBytes: 2 }]
    await Promise.all(ways.flatMap((way, index) => [add('a', index, way), add('b', index)]))
    expect(sent.filter(([topic]) => topic === 'p:{a}:p').map((args) => args.slice(1, 4))).toEqual([
      ['10', '1000', '5000'],
      ['0', '1000', '5000'],
      ['10', '1', '5000'],
      ['10', '1000', '2'],
    ])
    expect(sent).toHaveLength(5)
  })

  it('gathers anew what comes after a channel has been sent in the same turn', async () => {
    const before = add('a', 'one')
    gatherer.flush('a')
    const after = [add('b', 'other'), add('a', 'two')]
    expect(sent.map(([topic]) => topic)).toEqual(['p:{a}:p'])
    await turn()
    expect(sent.map(([topic]) => topic)).toEqual(['p:{a}:p', 'p:{b}:p', 'p:{a}:p'])
    await Promise.all([before, ...after, add('a', 'three')])
    expect(sent.map((args) => args.at(-1))).toEqual(['one', 'other', 'two', 'three'].map((data) => JSON.stringify({ data })))
  })

  it('answers the others of a call when handing on one of them throws', async () => {
    const results = await Promise.allSettled([add('a', 'one'), add('a', 'thrown'), add('a', 'two')])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(answered).toEqual(['a7 one', 'a9 two'])
  })

  it('refuses all of a call that comes to nothing', async () => {
    problem = new FusewireError('broker_unavailable')
    const results = await Promise.allSettled([add('a', 'one'), add('a', 'two')])
    expect(results).toEqual([
      { status: 'rejected', reason: problem },
      { status: 'rejected', reason: problem },
    ])
    expect(answered).toEqual([])
  })
})
