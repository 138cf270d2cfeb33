import { z } from 'zod'
import { ENVIRONMENT } from '../environment-names.ts'
import { CommandError } from '../exit-code.ts'
import type { Answer, Network } from './network.ts'

const refusal = z.object({ error: z.object({ code: z.string(), message: z.string() }) })

const KEY_CODES = ['api_key_required', 'api_key_invalid']

const readJson = ({ text }: Answer): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const refused = (answer: Answer, url: string): CommandError => {
  const { data } = refusal.safeParse(readJson(answer))
  if (!data) return new CommandError(`${url} answered ${answer.status}, and not like a Fusewire server. Check --url.`)
  const { code, message } = data.error
  const advice = KEY_CODES.includes(code) ? ` Give one of the server's apiKeys with --api-key or ${ENVIRONMENT.apiKey}.` : ''
  return new CommandError(`The server refused: ${message.replace(/\.$/u, '')} (${code}).${advice}`)
}

/** The HTTP API, as far as the commands need it. */
export class ApiClient {
  readonly #network: Network
  readonly #headers: Record<string, string>

  constructor(network: Network, apiKey: string | undefined) {
    this.#network = network
    this.#headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }
  }

  /** @throws {@link CommandError} */
  get(path: string): Promise<unknown> {
    return this.#request(path, { headers: this.#headers })
  }

  /** @throws {@link CommandError} */
  post(path: string, body: unknown): Promise<unknown> {
    const headers = { ...this.#headers, 'content-type': 'application/json' }
    return this.#request(path, { method: 'POST', headers, body: JSON.stringify(body) })
  }

  async #request(path: string, init: Parameters<Network['fetch']>[1]): Promise<unknown> {
    const answer = await this.#network.fetch(path, init)
    if (answer.status < 200 || answer.status > 299) throw refused(answer, this.#network.url)
    const body = readJson(answer)
    if (body === undefined) throw refused(answer, this.#network.url)
    return body
  }
}
