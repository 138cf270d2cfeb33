import { createHmac } from 'node:crypto'
import { secretKey } from './webhook-secret.ts'

/** Signs calls by the scheme of https://www.standardwebhooks.com, version 1: HMAC-SHA256 of id, time and body. */
export class WebhookSigner {
  readonly #keys: readonly Buffer[]

  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map(secretKey)
  }

  /** The headers of a call. `id` is the same when the same is sent again, the time is that of the attempt. */
  headers(id: string, now: number, body: string): Record<string, string> {
    const timestamp = String(Math.floor(now / 1000))
    const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp }
    if (this.#keys.length === 0) return headers
    const signatures = this.#keys.map(
      (key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`,
    )
    return { ...headers, 'webhook-signature': signatures.join(' ') }
  }
}
