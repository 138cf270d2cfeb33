import { EngineHarness, turn } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'

let harness: EngineHarness
beforeEach(async () => {
  harness = await EngineHarness.start()
})

describe('channel tokens', () => {
  it('end the subscription when they end, however late that is', async () => {
    const client = await harness.connect({ token: 'ann' })
    client.say({ type: 'subscribe', channel: 'secret:x', token: `ann>secret:x@${harness.environment.now() + 900_000}` })
    await turn()
    for (let passed = 0; passed < 890_000; passed += 10_000) {
      harness.advance(10_000)
      client.say({ type: 'ping' })
    }
    expect(client.all('unsubscribed')).toEqual([])
    harness.advance(11_000)
    expect(client.last('unsubscribed')).toMatchObject({ channel: 'secret:x', code: 'token_expired' })
  })
})
