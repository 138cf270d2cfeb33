import { FusewireError, LIMITS } from '@fusewire/protocol'
import { z } from 'zod'
import type { Cluster } from './cluster.ts'

/** How long the owner may take to say that it has what a client has sent. */
const SEND_TIMEOUT_MS = 5000
/** The same for a poll, beyond the time that it may wait for messages. */
const POLL_SLACK_MS = 5000
/** When a client may try again whose node cannot be found or reached now. */
const RETRY_AFTER_MS = 1000
/** UTF-16 code units of a connection secret. */
const SECRET_LENGTH = 256

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array)

const sendCall = z.object({
  connection: z.string().max(SECRET_LENGTH),
  seq: z.int().min(1),
  body: bytes,
})
const pollId = z.string().min(1).max(LIMITS.keyLength)
const pollCall = z.object({ connection: z.string().max(SECRET_LENGTH), poll: pollId })
const pollAnswer = z.object({ body: bytes })
const pollEnd = z.object({ poll: pollId, complete: z.boolean() })

/** Numbered messages of a client, as they are handed from node to node. */
export type ForwardedSend = Readonly<z.output<typeof sendCall>>

/** What the owner of connections does for requests that have come to other nodes. Refusals are {@link FusewireError}s. */
export interface ConnectionOwner {
  send(request: ForwardedSend): void
  /** Waits for the messages of a connection. `poll` is another one for each poll, over all nodes. */
  poll(connection: string, poll: string): Promise<Uint8Array>
  /** The answer has reached the client, or never will; nothing happens when the poll is not known. */
  ended(poll: string, complete: boolean): void
  /** Nothing will be heard any more of the polls whose names begin so. */
  lost(prefix: string): void
}

/** The answer to a poll, and what is to be said once it has reached the client, or has not. */
export interface ForwardedPoll {
  readonly body: Uint8Array
  ended(complete: boolean): void
}

/**
 * Brings requests of split connections to the node that has the connection, and its answers back. Only nodes that are known are
 * asked, whatever a secret says.
 */
export class RequestForwarder {
  readonly #cluster: Cluster
  readonly #pollTimeoutMs: number
  #polls = 0

  /** `pollTimeoutMs`: how long the owner lets a poll wait for messages. */
  constructor(cluster: Cluster, options: { readonly pollTimeoutMs: number }) {
    this.#cluster = cluster
    this.#pollTimeoutMs = options.pollTimeoutMs
  }

  /** Answers what other nodes hand on to this one. */
  serve(owner: ConnectionOwner): void {
    const cluster = this.#cluster
    cluster.handle('send', (data) => owner.send(checked(sendCall, data)))
    cluster.handle('poll', async (data, from) => {
      const { connection, poll } = checked(pollCall, data)
      return { body: await owner.poll(connection, pollKey(from, poll)) }
    })
    cluster.handleNotice('poll_end', (data, from) => {
      const { poll, complete } = checked(pollEnd, data)
      owner.ended(pollKey(from, poll), complete)
    })
    cluster.onLeft((node) => owner.lost(pollKey(node, '')))
  }

  /**
   * Throws `unknown_connection` when the owner is gone, and its connections with it; `broker_unavailable`, after which to try again,
   * when this node cannot know.
   */
  assertHere(owner: string): void {
    const whereabouts = this.#cluster.whereabouts(owner)
    if (whereabouts === 'here') return
    this.#cluster.stats.forwarded.failed++
    if (whereabouts === 'gone') throw new FusewireError('unknown_connection')
    throw new FusewireError('broker_unavailable', 'the node of this connection cannot be reached now', {
      retryAfterMs: RETRY_AFTER_MS,
    })
  }

  async send(owner: string, request: ForwardedSend): Promise<void> {
    this.assertHere(owner)
    await this.#ask(owner, 'send', request, { timeoutMs: SEND_TIMEOUT_MS, bytes: request.body.byteLength })
  }

  /** `signal`: the client has gone away from its poll. */
  async poll(owner: string, connection: string, signal: AbortSignal): Promise<ForwardedPoll> {
    this.assertHere(owner)
    const poll = `${++this.#polls}`
    const ended = (complete: boolean): void => this.#cluster.notify(owner, 'poll_end', { poll, complete })
    try {
      const timeoutMs = this.#pollTimeoutMs + POLL_SLACK_MS
      const { body } = checked(pollAnswer, await this.#ask(owner, 'poll', { connection, poll }, { timeoutMs, signal }))
      return { body, ended }
    } catch (error) {
      // It may have been answered: then the owner has to know that nobody has got that.
      ended(false)
      throw error
    }
  }

  async #ask(owner: string, name: string, data: object, options: Parameters<Cluster['ask']>[3]): Promise<unknown> {
    const { forwarded } = this.#cluster.stats
    try {
      const answer = await this.#cluster.ask(owner, name, data, options)
      forwarded.answered++
      return answer
    } catch (error) {
      if (options.signal?.aborted) throw error
      const isFailure = !(error instanceof FusewireError) || FAILURES.has(error.code)
      forwarded[isFailure ? 'failed' : 'refused']++
      if (isFailure && this.#cluster.whereabouts(owner) === 'gone')
        throw new FusewireError('unknown_connection', undefined, { cause: error })
      throw error
    }
  }
}

/** What says nothing about the connection. */
const FAILURES: ReadonlySet<string> = new Set(['timeout', 'broker_unavailable', 'internal_error', 'overloaded'])

/** Polls of different nodes may have the same number. */
const pollKey = (node: string, poll: string): string => `${node} ${poll}`

const checked = <T>(schema: z.ZodType<T>, data: unknown): T => {
  const result = schema.safeParse(data)
  if (result.success) return result.data
  throw new FusewireError('invalid_field', 'a request between nodes has not the documented form')
}
