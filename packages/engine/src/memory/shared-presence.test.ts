import { FakeEnvironment, presenceContract } from '@fusewire/testkit'
import { SharedPresence } from './shared-presence.ts'

presenceContract('SharedPresence', () => {
  const environment = new FakeEnvironment()
  const ttlMs = 4000
  const presence = new SharedPresence(environment, { ttlMs })
  return {
    presence: presence.node(),
    another: () => presence.node(),
    ttlMs,
    pass: (ms) => environment.advance(ms),
  }
})
