import { signal } from '@preact/signals'
import { inventName } from './invent-name.ts'

/** Who the visitor is. Each tab is a person of its own, so that two tabs can talk. */
export interface Identity {
  readonly user: string
  readonly name: string
}

const KEY = 'fusewire.identity'

const stored = (): Identity | undefined => {
  try {
    const { user, name } = JSON.parse(sessionStorage.getItem(KEY) ?? '{}')
    return typeof user === 'string' && typeof name === 'string' ? { user, name } : undefined
  } catch {
    return undefined
  }
}

const keep = (next: Identity): Identity => {
  sessionStorage.setItem(KEY, JSON.stringify(next))
  return next
}

export const identity = signal<Identity>(stored() ?? keep({ user: crypto.randomUUID().slice(0, 8), name: inventName() }))

export const takeName = (name: string): void => {
  identity.value = keep({ ...identity.value, name })
}
