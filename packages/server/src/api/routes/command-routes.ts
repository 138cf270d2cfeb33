import { z } from 'zod'
import { API_LIMITS, type MessageLimits } from '../api-limits.ts'
import type { ApiServer } from '../api-server.ts'
import type { Command, CommandContext } from '../command.ts'
import { batch } from '../commands/batch.ts'
import { broadcast } from '../commands/broadcast.ts'
import { disconnect } from '../commands/disconnect.ts'
import { publish } from '../commands/publish.ts'
import { refresh } from '../commands/refresh.ts'
import { revoke } from '../commands/revoke.ts'
import { rpc } from '../commands/rpc.ts'
import { subscribe } from '../commands/subscribe.ts'
import { unsubscribe } from '../commands/unsubscribe.ts'
import { refusal } from '../schemas/answers.ts'
import { key } from '../schemas/fields.ts'

const COMMANDS: readonly Command[] = [publish, broadcast, subscribe, unsubscribe, disconnect, refresh, revoke, rpc, batch]

const idempotencyHeaders = z.object({ 'idempotency-key': key.exactOptional() })

const bodyLimit = ({ bulk }: Command, { maxMessageBytes }: MessageLimits): number =>
  bulk ? Math.max(API_LIMITS.requestBytes, maxMessageBytes) : maxMessageBytes

/** `POST /v1/<command>` for every command. */
export const addCommandRoutes = (app: ApiServer, context: Omit<CommandContext, 'requestBytes' | 'idempotencyKey'>): void => {
  for (const command of COMMANDS) {
    app.post(
      `/v1/${command.name}`,
      {
        bodyLimit: bodyLimit(command, context.limits),
        schema: {
          operationId: command.name,
          summary: command.summary,
          ...(command.description === undefined ? {} : { description: command.description }),
          tags: [command.tag],
          body: command.body,
          ...(command.idempotent ? { headers: idempotencyHeaders } : {}),
          response: { 200: command.answer, default: refusal },
        },
      },
      // Not async: what is done at once is answered at once.
      ({ headers, body, bodyBytes }) => {
        const given = command.idempotent ? headers['idempotency-key'] : undefined
        const idempotencyKey = typeof given === 'string' ? given : undefined
        return command.run({ ...context, requestBytes: bodyBytes, idempotencyKey }, body)
      },
    )
  }
}
