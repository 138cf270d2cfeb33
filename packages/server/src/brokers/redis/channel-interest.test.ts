import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ChannelInterest } from './channel-interest.ts'
import { channelKeys } from './channel-keys.ts'
import { readChannelMessage } from './channel-message.ts'

describe('ChannelInterest', () => {
  let told: string[]
  let interest: ChannelInterest

  const hear = (text: string): void => {
    const message = readChannelMessage(Buffer.from(text))
    if (!message || message.kind === 'announcement') throw new Error('no message of a channel')
    interest.hear(message)
  }
  const publication = (epoch: string, offset: number, end = 0): void =>
    hear(`P${epoch} ${offset} 1000 ${end}\n{"data":"heard ${offset}"}`)
  /** Answers this node's own publication; gives whether the answer has to wait. */
  const answer = (epoch: string, offset: number): Promise<boolean> => {
    const waiting = interest.answered(epoch, offset, 1000, 0, { data: `own ${offset}` })
    let isDone = waiting === undefined
    void waiting?.then(() => {
      isDone = true
    })
    return Promise.resolve().then(() => !isDone)
  }

  beforeEach(() => {
    vi.useFakeTimers()
    told = []
    interest = new ChannelInterest('a', channelKeys('p', 'a'), {
      publication: (_, { offset, data }, epoch) => told.push(`${epoch}${offset} ${data}`),
      interrupted: () => told.push('interrupted'),
      announcement: () => undefined,
    })
    interest.found('e', 3, -1)
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('hands on what follows, and each once', () => {
    publication('e', 4)
    publication('e', 4)
    publication('e', 3)
    publication('e', 5)
    expect(told).toEqual(['e4 heard 4', 'e5 heard 5'])
  })

  it('hands on all that were published together', () => {
    hear('Pe 4 1000 0\n{"data":"one"}\n{"data":"two"}\n{"data":"three"}')
    publication('e', 7)
    expect(told).toEqual(['e4 one', 'e5 two', 'e6 three', 'e7 heard 7'])
  })

  it("drops this node's own that were published together", async () => {
    for (const offset of [4, 5]) expect(await answer('e', offset)).toBe(false)
    hear('Pe 4 1000 0\n{"data":"own 4"}\n{"data":"own 5"}')
    expect(told).toEqual(['e4 own 4', 'e5 own 5'])
  })

  it("hands on this node's own from the answer when it is next, and drops it when it is heard", async () => {
    expect(await answer('e', 4)).toBe(false)
    publication('e', 4)
    publication('e', 5)
    expect(await answer('e', 5)).toBe(false)
    expect(told).toEqual(['e4 own 4', 'e5 heard 5'])
  })

  it('holds an answer until those of other nodes before it have been heard', async () => {
    const waiting = interest.answered('e', 6, 1000, 0, { data: 'own' })
    publication('e', 4)
    publication('e', 5)
    expect(told).toEqual(['e4 heard 4', 'e5 heard 5'])
    publication('e', 6)
    await waiting
    await vi.advanceTimersByTimeAsync(2_000)
    expect(told).toEqual(['e4 heard 4', 'e5 heard 5', 'e6 heard 6'])
  })

  it('lets each answer go when its own has been heard, and all when nobody listens any more', async () => {
    const done: number[] = []
    for (const offset of [5, 6, 7])
      void interest.answered('e', offset, 1000, 0, { data: 'own' })?.then(() => {
        done.push(offset)
      })
    const doneAfter = async (work: () => void): Promise<number[]> => {
      work()
      await vi.advanceTimersByTimeAsync(0)
      return [...done]
    }
    expect(await doneAfter(() => publication('e', 4))).toEqual([])
    expect(await doneAfter(() => publication('e', 5))).toEqual([5])
    expect(await doneAfter(() => interest.close())).toEqual([5, 6, 7])
    await vi.advanceTimersByTimeAsync(2_000)
    expect(told).toEqual(['e4 heard 4', 'e5 heard 5'])
  })

  it('tells that something is missing when what came before an answer is not heard', async () => {
    const waiting = interest.answered('e', 6, 1000, 0, { data: 'own' })
    await vi.advanceTimersByTimeAsync(2_000)
    await waiting
    expect(told).toEqual(['interrupted'])
    publication('e', 6)
    publication('e', 7)
    expect(told).toEqual(['interrupted', 'e7 heard 7'])
  })

  it('tells of a gap before what comes behind it', () => {
    publication('e', 6)
    expect(told).toEqual(['interrupted', 'e6 heard 6'])
  })

  it('tells of another epoch once, however it comes to know', () => {
    for (let times = 0; times < 2; times++) {
      hear('Ef 0')
      interest.learned('f', 0)
    }
    publication('f', 1)
    expect(told).toEqual(['interrupted', 'f1 heard 1'])
    publication('g', 1)
    publication('h', 2)
    expect(told.slice(2)).toEqual(['interrupted', 'g1 heard 1', 'interrupted', 'h2 heard 2'])
  })

  it('holds an answer of an epoch of which it has not heard', async () => {
    expect(await answer('f', 1)).toBe(true)
    expect(await answer('f', 4)).toBe(true)
    expect(told).toEqual([])
  })

  it('takes the first that it hears of a channel for its beginning', () => {
    const listener = {
      publication: () => told.push('publication'),
      interrupted: () => told.push('interrupted'),
      announcement: () => {},
    }
    interest = new ChannelInterest('b', channelKeys('p', 'b'), listener)
    interest.learned('e', 3)
    publication('e', 4)
    publication('e', 5)
    expect(told).toEqual(['publication', 'publication'])
  })

  it('lets an answer go whose epoch has ended', async () => {
    const waiting = interest.answered('e', 6, 1000, 0, { data: 'own' })
    hear('Ef 0')
    await waiting
    expect(told).toEqual(['interrupted'])
  })

  it('knows whether something was missed while it was not subscribed', () => {
    publication('e', 4)
    expect(interest.found('e', 4, -1)).toBe(true)
    expect(interest.found('e', 3, -1)).toBe(true)
    publication('e', 4)
    expect(interest.found('e', 5, -1)).toBe(false)
    publication('e', 6)
    expect(interest.found('f', 0, -1)).toBe(false)
    expect(told).toEqual(['e4 heard 4', 'e6 heard 6'])
  })

  it('knows when the document ends, from what is heard and answered', () => {
    publication('e', 4, 6_000)
    const endsInMs = () => (interest.documentEndsAt === 0 ? undefined : Math.round(interest.documentEndsAt - performance.now()))
    expect(endsInMs()).toBe(5_000)
    publication('e', 5)
    expect(endsInMs()).toBeUndefined()
    interest.answered('e', 6, 1_000, 4_000, { data: 'own' })
    expect(endsInMs()).toBe(3_000)
    interest.answered('e', 7, 1_000, 0, { data: 'own' })
    expect(endsInMs()).toBeUndefined()
    interest.found('e', 7, 2_000)
    expect(endsInMs()).toBe(2_000)
    interest.learned('f', 0)
    expect(endsInMs()).toBeUndefined()
  })

  it('takes what cannot be read for something that is missing', () => {
    hear('Pe 4 1000 0\n{')
    publication('e', 5)
    expect(told).toEqual(['interrupted', 'e5 heard 5'])
    hear('Pe 6 1000 0\n{"data":"one"}\n{\n{"data":"three"}')
    expect(told.slice(2)).toEqual(['e6 one', 'interrupted', 'e8 three'])
  })
})
