import { readFileSync } from 'node:fs'
import { EngineHarness, FakeHooks, turn } from '@fusewire/testkit'
import { expect, it } from 'vitest'
import { HOOKS_PAGE_FILE, hooksPage } from '../../../../scripts/hooks-docs.ts'
import { DECIDING_EVENTS, INFORMING_EVENTS } from './hook-events.ts'
import { NOTICES, QUESTIONS } from './question-schemas.ts'

it('docs/hooks.md has the tables of the schemas', () => {
  const page = readFileSync(HOOKS_PAGE_FILE, 'utf8')
  expect(page, 'docs/hooks.md is out of date: run npm run docs').toBe(hooksPage(page))
})

it('what the engine asks and tells has the documented form, with everything and with nothing', async () => {
  const hooks = new FakeHooks()
  for (const event of DECIDING_EVENTS) hooks.decisions[event] = () => ({ decision: 'allow' }) as never
  for (const event of INFORMING_EVENTS) hooks.wanted.add(event)
  const harness = await EngineHarness.start({ hooks, limits: { maxPendingRequests: 20 } })

  const bare = await harness.connect()
  bare.say({ type: 'publish', channel: 'open:a', data: null })
  bare.say({ type: 'rpc', method: 'm' })
  await harness.subscribe(bare, 'open:a')
  bare.say({ type: 'refresh', token: 'somebody' })
  bare.say({ type: 'disconnect' })

  const full = await harness.connect({ token: 'ann', name: 'app', version: '1' })
  await harness.subscribe(full, 'open:a')
  const ifPosition = full.last('subscribed').position
  full.say({ type: 'publish', channel: 'open:a', data: { a: 1 }, tags: { t: 'v' }, key: 'k', ifPosition })
  full.say({ type: 'rpc', method: 'm', data: [1] })
  full.say({ type: 'subscribe', channel: 'secret:a', token: 'ann>secret:a' })
  await turn()
  full.say({ type: 'refresh', channel: 'secret:a', token: `ann>secret:a@${harness.environment.now() + 90_000}` })
  full.say({ type: 'refresh', token: `ann@${harness.environment.now() + 90_000}` })
  await turn()
  full.cut()
  await harness.connect({ resume: full.last('connected').resume })
  await harness.engine.close()

  expect(new Set(hooks.questions.map(({ event }) => event))).toEqual(new Set(DECIDING_EVENTS))
  expect(new Set(hooks.notices.map(({ event }) => event))).toEqual(new Set(INFORMING_EVENTS))
  for (const question of hooks.questions) expect(QUESTIONS[question.event].parse(question)).toEqual(question)
  for (const notice of hooks.notices) expect(NOTICES[notice.event].parse(notice)).toEqual(notice)
})
