import { FusewireError } from '@fusewire/protocol'
import { isErrorReply } from './redis-client.ts'

/** The broker cannot be asked, or has not answered. */
export const unavailable = (message: string, cause?: unknown): FusewireError =>
  new FusewireError('broker_unavailable', message, cause === undefined ? undefined : { cause })

/** What Redis says to a command that it has not carried out; the rest of the message behind its first word. */
export type Refusal =
  /** The slot is another server's. */
  | { readonly kind: 'moved'; readonly slot: number; readonly to: string }
  /** The slot is on its way to another server, which has the key already. */
  | { readonly kind: 'ask'; readonly to: string }
  /** The slot is on its way, and its keys are on both servers. */
  | { readonly kind: 'try-again' }
  /** The server does not have our library. */
  | { readonly kind: 'no-function' }
  /** The server is not, or not now, one that takes writes. */
  | { readonly kind: 'demoted' }
  /** The server cannot work now, and nobody else can in its place. */
  | { readonly kind: 'not-now' }
  /** The server has no memory, disk or replica for what may write. */
  | { readonly kind: 'full' }

const NOT_NOW = new Set(['LOADING', 'CLUSTERDOWN', 'MASTERDOWN', 'BUSY'])
const FULL = new Set(['OOM', 'MISCONF', 'NOREPLICAS'])

/**
 * Undefined for whatever is not certain to have changed nothing: errors that a function has raised midway, and connections that ended
 * between a command and its answer.
 */
export const refusalOf = (error: unknown): Refusal | undefined => {
  if (!isErrorReply(error)) return undefined
  const { message } = error
  const [word = '', second = '', third = ''] = message.split(' ', 3)
  if (word === 'MOVED') return { kind: 'moved', slot: Number(second), to: third }
  if (word === 'ASK') return { kind: 'ask', to: third }
  if (word === 'TRYAGAIN') return { kind: 'try-again' }
  if (message === 'ERR Function not found') return { kind: 'no-function' }
  if (word === 'READONLY') return { kind: 'demoted' }
  if (FULL.has(word)) return { kind: 'full' }
  return NOT_NOW.has(word) ? { kind: 'not-now' } : undefined
}
