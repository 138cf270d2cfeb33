import type { Hooks, Notice, Question } from '@fusewire/engine'
import { type ContractApplication, HOOKS_CONTRACT, hooksContract } from '@fusewire/testkit'
import { onTestFinished } from 'vitest'
import { ApplicationHooks } from './application-hooks.ts'
import { HandlerTarget } from './handler-target.ts'
import { HookBackend } from './hook-backend.ts'
import { DECIDING_EVENTS, HOOK_EVENTS } from './hook-events.ts'
import type { HookTarget } from './hook-target.ts'
import { hookOptionsOf } from './testing/hook-options.ts'
import { type BackendProtocol, HOOK_SECRET, TestBackend } from './testing/test-backend.ts'
import { WebhookSigner } from './webhook-signer.ts'

const { channels, timeoutMs, maxConcurrent, queueSize, queueTtlMs, maxDepth } = HOOKS_CONTRACT

const OPTIONS = hookOptionsOf([], {
  hookTimeoutMs: timeoutMs,
  hookMaxConcurrent: maxConcurrent,
  hookQueueSize: queueSize,
  hookQueueTtlMs: queueTtlMs,
  hookBatchSize: 4,
  hookBreakerFailures: 1000,
  maxDepth,
})

const hooksTo = (target: HookTarget): Hooks => {
  const hooks = new ApplicationHooks(OPTIONS, () => {})
  hooks.add(['publish'], channels, target)
  hooks.add(
    HOOK_EVENTS.filter((event) => event !== 'publish'),
    undefined,
    target,
  )
  return hooks
}

hooksContract('handlers in this process', ({ decide, hear }: ContractApplication) =>
  hooksTo(
    new HandlerTarget((about: Question | Notice) =>
      DECIDING_EVENTS.some((event) => event === about.event) ? decide(about as Question) : hear(about as Notice),
    ),
  ),
)

/** A backend that passes on what it is asked and told. */
const backendFor = async (protocol: BackendProtocol, { decide, hear }: ContractApplication): Promise<Hooks> => {
  const backend = await TestBackend.start(protocol)
  onTestFinished(() => backend[Symbol.asyncDispose]())
  backend.respond = async ({ verified }) => {
    if (verified === undefined) return { status: 401 }
    try {
      if (!Object.hasOwn(verified as object, 'events')) return { body: JSON.stringify(await decide(verified as Question)) }
      for (const notice of (verified as { events: Notice[] }).events) await hear(notice)
      return { status: 204 }
    } catch {
      return { status: 500 }
    }
  }
  return hooksTo(
    new HookBackend(backend.url, OPTIONS, {
      signer: new WebhookSigner([HOOK_SECRET]),
      dispatcher: backend.agent,
      userAgent: 'fusewire/test',
      log: () => {},
    }),
  )
}

for (const protocol of ['HTTP/2', 'HTTP/1.1', 'cleartext'] as const)
  hooksContract(`hooks of a backend over ${protocol}`, (application) => backendFor(protocol, application))
