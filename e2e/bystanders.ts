import { setTimeout as delay } from 'node:timers/promises'
import type { FusewireInput } from '@fusewire/server'
import { eventually } from '@fusewire/testkit'
import { expect } from 'vitest'
import type { Api } from './api.ts'
import type { FusewireProcess } from './fusewire-process.ts'
import { serverTest } from './server-test.ts'
import { signToken } from './server-variants.ts'
import { splitWay } from './wire/split-way.ts'
import { tcpWay } from './wire/tcp-way.ts'
import { join, type Way, type WireClient } from './wire/way.ts'
import { webSocketWay } from './wire/websocket-way.ts'

const CHANNEL = 'chat:bystanders'
const PUBLISH_INTERVAL_MS = 10
const POLL = { intervalMs: 1 }

const WAYS = [webSocketWay('HTTP/1.1', 'json'), webSocketWay('HTTP/2', 'msgpack'), splitWay('stream', 'HTTP/2'), tcpWay('TLS')]

interface Bystander {
  readonly way: Way
  readonly client: WireClient
  /** Messages that it had received before the first publication. */
  readonly before: number
}

/** Well-behaved clients of a channel in which something is published all the time: nothing that others do may touch them. */
export class Bystanders {
  readonly #server: FusewireProcess
  readonly #api: Api
  readonly #bystanders: readonly Bystander[]
  readonly #publishing: Promise<void>
  /** Publications up to this one have been received by all. */
  #checked = 0
  #stopped = false

  private constructor(server: FusewireProcess, api: Api, bystanders: readonly Bystander[]) {
    this.#server = server
    this.#api = api
    this.#bystanders = bystanders
    this.#publishing = this.#publish()
  }

  static async start(server: FusewireProcess, api: Api, token?: string): Promise<Bystanders> {
    const bystanders = WAYS.map(async (way) => {
      const client = await way.open(server)
      await join(client, CHANNEL, { ...(token !== undefined && { token }) })
      return { way, client, before: client.received.length }
    })
    return new Bystanders(server, api, await Promise.all(bystanders))
  }

  /** Resolves when each of them, on its first connection, has all that was published until now, in order, without gap or duplicate. */
  async assertUntouched(): Promise<void> {
    const { position } = await this.#api.publish(CHANNEL, 'last')
    for (const { way, client, before } of this.#bystanders) {
      await eventually(() => client.end !== undefined || client.received.length >= before + position.offset, POLL)
      expect(client.end, `the bystander at ${way.name}`).toBeUndefined()
      for (let i = this.#checked; i < position.offset; i++)
        expect(client.received[before + i], way.name).toMatchObject({ type: 'publication', offset: i + 1 })
    }
    this.#checked = position.offset
    expect(this.#server.isRunning).toBe(true)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#publishing
    for (const { client } of this.#bystanders) client.destroy()
  }

  async #publish(): Promise<void> {
    for (let n = 1; !this.#stopped; n++) {
      await this.#api.publish(CHANNEL, n)
      await delay(PUBLISH_INTERVAL_MS)
    }
  }
}

/** Like {@link serverTest}, for tests that mean the server harm: after each of them the {@link Bystanders} must not have noticed. */
export const harmTest = (options: FusewireInput) =>
  serverTest(options)
    .extend('bystanders', { scope: 'file' }, async ({ server, api, options }, { onCleanup }) => {
      const token = options.jwtSecret === undefined ? undefined : await signToken('bystander', { expiresIn: 3600 })
      const bystanders = await Bystanders.start(server, api, token)
      onCleanup(() => bystanders.stop())
      return bystanders
    })
    .extend('_untouched', { auto: true }, ({ bystanders }, { onCleanup }) => {
      onCleanup(() => bystanders.assertUntouched())
    })
