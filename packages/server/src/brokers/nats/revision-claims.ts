import { setTimeout as delay } from 'node:timers/promises'

/** What a bucket does for its claims. */
export interface ClaimedBucket {
  /** Writes a key that is not there, and gives its revision; undefined when it is there. */
  create(key: string): Promise<number | undefined>
  erase(revision: number): Promise<boolean>
  /** Of a key; 0 when it is not there. */
  revisionOf(key: string): Promise<number>
}

const LOOK_MS = 25
/** A claim whose holder has not changed the key for so long is another's to repeat, in milliseconds. */
const STALE_MS = 2000
/** Of how many holders that died one after the other. */
const MAX_LEVELS = 10

/**
 * Lets one of several change a key from a revision, where the server may take the changes of all of them: before 2.10, streams with
 * several replicas look at the expected revision before they agree on a message, and not again when it is kept
 * (https://github.com/nats-io/nats-server/issues/4320). That a key is not there yet they do look at again. So whoever changes a key first
 * makes another one that is named after the revision.
 */
export class RevisionClaims {
  readonly #bucket: ClaimedBucket

  constructor(bucket: ClaimedBucket) {
    this.#bucket = bucket
  }

  /** Waits for the claim, and gives it back; undefined when somebody else has changed the key. */
  async claim(key: string, revision: number): Promise<number | undefined> {
    for (let level = 0; level < MAX_LEVELS; level++) {
      const claim = await this.#bucket.create(`=c.${revision}.${level}`)
      if (claim !== undefined) return claim
      if (await this.#isChanged(key, revision)) return undefined
    }
    return undefined
  }

  /** Nobody waits for it. */
  release(claim: number): void {
    this.#bucket.erase(claim).catch(() => undefined)
  }

  async #isChanged(key: string, revision: number): Promise<boolean> {
    const deadline = performance.now() + STALE_MS
    while (performance.now() < deadline) {
      if ((await this.#bucket.revisionOf(key)) !== revision) return true
      await delay(LOOK_MS)
    }
    return false
  }
}
