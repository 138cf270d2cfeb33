import { effect, signal } from '@preact/signals'

export const ROOMS = [
  { id: 'chat', title: 'Chat', short: 'Chat' },
  { id: 'market', title: 'Market', short: 'Market' },
  { id: 'notifications', title: 'Notifications', short: 'Notices' },
  { id: 'document', title: 'Document', short: 'Text' },
  { id: 'device', title: 'Device', short: 'Device' },
] as const

export type RoomId = (typeof ROOMS)[number]['id']

const roomOfAddress = (): RoomId => ROOMS.find(({ id }) => location.hash === `#${id}`)?.id ?? 'chat'

export const room = signal<RoomId>(roomOfAddress())

addEventListener('hashchange', () => {
  room.value = roomOfAddress()
})

/** Keeps the title of the tab true. */
export const titleFollowsRoom = (): void => {
  effect(() => {
    document.title = `${ROOMS.find(({ id }) => id === room.value)?.title} · Fusewire`
  })
}
