import type { RpcCaller } from '@fusewire/server'
import { CHANNELS } from '../shared/channels.ts'
import { isNotifyRequest, type Notice } from '../shared/notice.ts'
import { visitorName } from '../shared/visitor.ts'
import type { Publish } from './feed.ts'

/**
 * Sends a notification to its caller or to everyone. Clients cannot publish in these channels: the server vouches for who a
 * notification is from.
 */
export const createNotifier =
  (publish: Publish) =>
  async (data: unknown, caller: RpcCaller | undefined): Promise<{ sent: boolean }> => {
    if (!isNotifyRequest(data) || caller?.user === undefined) return { sent: false }
    const { to, level, text } = data
    const notice: Notice = { level, text: text.trim(), from: visitorName(caller.info) ?? caller.user }
    await publish(to === 'me' ? CHANNELS.personal(caller.user) : CHANNELS.everyone, notice)
    return { sent: true }
  }
