import { randomBytes } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { type HttpHandler, signToken } from '@fusewire/server'
import { fieldsOf, isText } from '../shared/fields.ts'
import { MAX_NAME_LENGTH, type Visitor } from '../shared/visitor.ts'

const LIFETIME_MS = 15 * 60_000
const MAX_BODY_BYTES = 1024

/** Made at each start, so that it is in no file. A real backend shares one secret, or a key pair, with the server. */
export const JWT_SECRET = randomBytes(32).toString('base64url')

/**
 * `POST /demo/token {"user", "name"}` answers `{"token"}`. This is the place of an application's sign-in: it knows the person,
 * and vouches for them to Fusewire. Here everyone is believed, which is right for a demo and for nothing else.
 */
export const answerTokenRequest = async (...[request, response]: Parameters<HttpHandler>): Promise<void> => {
  const answer = (status: number, body: object): void => {
    response.statusCode = status
    response.setHeader('content-type', 'application/json')
    response.setHeader('cache-control', 'no-store')
    response.end(JSON.stringify(body))
  }
  if (request.method !== 'POST') return answer(405, { error: 'Send a POST.' })
  if (Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY) > MAX_BODY_BYTES)
    return answer(413, { error: 'Too long.' })

  const { user, name } = fieldsOf(parse(await text(request)))
  if (!isText(user, 64) || !isText(name, MAX_NAME_LENGTH)) return answer(400, { error: 'Send {"user", "name"}.' })
  const info: Visitor = { name: name.trim() }
  answer(200, { token: await signToken({ user, info }, { secret: JWT_SECRET }, { expiresInMs: LIFETIME_MS }) })
}

const parse = (body: string): unknown => {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
