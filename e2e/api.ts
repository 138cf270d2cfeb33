import type { Member, Position, Publication } from '@fusewire/protocol'

export interface Published {
  readonly position: Position
  readonly duplicate: boolean
}

/** The HTTP API as a backend calls it. */
export class Api {
  readonly #base: string
  readonly #headers: Record<string, string>
  readonly #fetch: typeof fetch

  /** `send`: instead of Node's own, which keeps its connections. */
  constructor(base: string, key?: string, send: typeof fetch = fetch) {
    this.#base = base
    this.#fetch = send
    this.#headers = { 'content-type': 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }) }
  }

  publish(
    channel: string,
    data: unknown,
    more: { tags?: Record<string, string>; key?: string; patch?: boolean } = {},
  ): Promise<Published> {
    return this.post('publish', { channel, data, ...more })
  }

  history(
    channel: string,
    { since, limit = 1000 }: { since?: Position; limit?: number } = {},
  ): Promise<{ position: Position; publications: Publication[] }> {
    const query = new URLSearchParams({
      limit: String(limit),
      ...(since && { sinceEpoch: since.epoch, sinceOffset: String(since.offset) }),
    })
    return this.#call(`channels/${encodeURIComponent(channel)}/history?${query}`, {})
  }

  clearHistory(channel: string): Promise<unknown> {
    return this.#call(`channels/${encodeURIComponent(channel)}/history`, { method: 'DELETE' })
  }

  presence(channel: string): Promise<{ members: Member[] }> {
    return this.#call(`channels/${encodeURIComponent(channel)}/presence`, {})
  }

  info(): Promise<Record<string, unknown>> {
    return this.#call('info', {})
  }

  /** The value of a metric with these labels, or without any; 0 when there is none yet. */
  async metric(name: string, labels: Record<string, string> = {}): Promise<number> {
    const response = await this.#fetch(`${this.#base}/metrics`, { headers: this.#headers })
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
    const line = (await response.text())
      .split('\n')
      .find(
        (text) => (text.startsWith(`${name}{`) || text.startsWith(`${name} `)) && wanted.every((label) => text.includes(label)),
      )
    return Number(line?.split(' ').at(-1) ?? 0)
  }

  post<Answer>(command: string, body: unknown): Promise<Answer> {
    return this.#call(command, { method: 'POST', headers: this.#headers, body: JSON.stringify(body) })
  }

  async #call<Answer>(path: string, init: RequestInit): Promise<Answer> {
    const response = await this.#fetch(`${this.#base}/v1/${path}`, { headers: this.#headers, ...init })
    const text = await response.text()
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path}: ${response.status} ${text}`)
    return (text === '' ? undefined : JSON.parse(text)) as Answer
  }
}
