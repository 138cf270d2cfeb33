import type { Publication } from '@fusewire/client'
import { computed, effect, signal } from '@preact/signals'
import { CHANNELS, METHODS } from '../../../shared/channels.ts'
import { type Notice, type NotifyRequest, readNotice } from '../../../shared/notice.ts'
import { followChannel } from '../../channels/follow-channel.ts'
import { client } from '../../line/client.ts'
import { identity } from '../../people/identity.ts'
import { room } from '../rooms.ts'

const KEEP = 50

const accept = (data: unknown): data is unknown => readNotice(data) !== undefined

const everyone = client.channel(CHANNELS.everyone)
const personal = client.channel(CHANNELS.personal(identity.value.user))

export interface Received extends Notice {
  readonly key: string
  readonly time: number
  readonly to: 'me' | 'everyone'
}

const received = (to: Received['to'], { data, offset, time }: Publication): Received[] => {
  const notice = readNotice(data)
  return notice ? [{ ...notice, key: `${to}-${offset}-${time}`, time, to }] : []
}

const toEveryone = followChannel(everyone, { keep: KEEP, accept })
const toMe = followChannel(personal, { keep: KEEP, accept })

/** Both channels as one feed, newest first. */
export const notices = computed<readonly Received[]>(() =>
  [
    ...toEveryone.value.flatMap((publication) => received('everyone', publication)),
    ...toMe.value.flatMap((publication) => received('me', publication)),
  ].sort((one, other) => other.time - one.time),
)

/** Shown over the page for a while. What was there before the page is no news. */
export const toasts = signal<readonly Received[]>([])

/** Came while another room was open. */
export const unread = signal(0)

const announce = (to: Received['to']) => (publication: Publication) => {
  const news = received(to, publication)
  toasts.value = [...toasts.value, ...news].slice(-4)
  if (room.value !== 'notifications') unread.value += news.length
}

everyone.on('publication', announce('everyone'))
personal.on('publication', announce('me'))

export const dismissToast = (key: string): void => {
  toasts.value = toasts.value.filter((toast) => toast.key !== key)
}

effect(() => {
  if (room.value === 'notifications') unread.value = 0
})

/** Asks the server to send it: the channels themselves are closed to clients. */
export const notify = async (request: NotifyRequest): Promise<void> => {
  await client.rpc(METHODS.notify, request)
}
