import { FusewireError } from '@fusewire/protocol'
import { FakeEnvironment } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { Counters } from './stats.ts'
import { isFinal, StoreWatch } from './store-watch.ts'

const away = new FusewireError('broker_unavailable')
const tooLarge = new FusewireError('message_too_large')
const refuse = (error: Error) => () => Promise.reject(error)

let environment: FakeEnvironment
let counters: Counters
let logged: string[]
let watch: StoreWatch

beforeEach(() => {
  environment = new FakeEnvironment()
  counters = new Counters()
  logged = []
  watch = new StoreWatch({ now: () => environment.now(), counters, log: (event) => logged.push(event) })
})

describe('StoreWatch', () => {
  it('counts each call of an outage, and logs its begin and its end once', async () => {
    for (let calls = 0; calls < 3; calls++) await expect(watch.call(refuse(away))).rejects.toBe(away)
    expect([watch.isAway, counters.sessionStoreFailures, logged]).toEqual([true, 3, ['session_store_away']])
    for (let calls = 0; calls < 2; calls++) {
      expect(await watch.call(() => 'answer')).toBe('answer')
      expect([watch.isAway, logged]).toEqual([false, ['session_store_away', 'session_store_back']])
    }
    expect(counters.sessionStoreFailures).toBe(3)
  })

  it('takes what is refused for good for no outage, and for no end of one', async () => {
    await expect(watch.call(refuse(tooLarge))).rejects.toBe(tooLarge)
    expect([watch.isAway, counters.sessionStoreFailures, logged]).toEqual([false, 1, []])
    await watch.attempt(refuse(away))
    await watch.attempt(refuse(tooLarge))
    expect([watch.isAway, counters.sessionStoreFailures, logged]).toEqual([true, 3, ['session_store_away']])
  })

  it('answers an attempt or a probe with nothing where it is refused', async () => {
    expect([await watch.attempt(() => 1), await watch.probe(() => 2)]).toEqual([1, 2])
    for (const error of [away, tooLarge])
      expect([await watch.attempt(refuse(error)), await watch.probe(refuse(error))]).toEqual([undefined, undefined])
  })

  it('knows for how long sessions could be refreshed: since the beginning, a disturbance, or a probe that could be tried again', async () => {
    environment.advance(3000)
    expect(watch.calmMs).toBe(3000)
    await watch.attempt(refuse(away))
    await watch.probe(refuse(tooLarge))
    await watch.probe(() => undefined)
    environment.advance(1000)
    expect(watch.calmMs).toBe(4000)
    await watch.probe(refuse(away))
    environment.advance(500)
    expect(watch.calmMs).toBe(500)
    environment.advance(500)
    watch.disturbed()
    expect(watch.calmMs).toBe(0)
  })
})

it('tells what can be tried again from what cannot', () => {
  expect([away, tooLarge, new Error('no answer')].map(isFinal)).toEqual([false, true, false])
})
