import { FusewireClient } from '@fusewire/client/state'
import { identity } from '../people/identity.ts'

/** A real page would ask its own backend, where the visitor has signed in; here anyone may be anyone. */
const getToken = async (): Promise<string> => {
  const response = await fetch('/demo/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(identity.value),
  })
  if (!response.ok) throw new Error(`No token: HTTP ${response.status}`)
  const { token } = (await response.json()) as { token: string }
  return token
}

/** The page's one line to the server; every room is a channel or two on it. */
export const client = new FusewireClient(location.origin, {
  getToken,
  name: 'fusewire-demo',
  // Half a minute is right for thousands of clients of a server in trouble, and long for someone who watches.
  maxBackoffMs: 4000,
})
