import { signal } from '@preact/signals'
import { client } from './client.ts'
import { becauseOf } from './outage-store.ts'

/** How long the line is kept down, in seconds; 0 lets the client come back as soon as it likes. */
export const CUTS = [0, 5, 15] as const

export const chosenCut = signal<(typeof CUTS)[number]>(5)

/** Until when every attempt is cut off again; 0 when the line is left alone. */
export const heldUntil = signal(0)

/**
 * Drops the line as a network failure would, and then every attempt at a new one, as long as it is held. From there on
 * everything is the SDK's own doing: it backs off, connects again, and resumes.
 */
export const cutLine = (): void => {
  becauseOf('cut')
  heldUntil.value = Date.now() + chosenCut.value * 1000
  setTimeout(() => {
    heldUntil.value = 0
  }, chosenCut.value * 1000)
  client.interrupt()
}

client.on('connection', ({ status }) => {
  if (Date.now() < heldUntil.value && (status === 'connecting' || status === 'connected'))
    queueMicrotask(() => client.interrupt())
})
