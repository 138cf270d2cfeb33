import { defineCommand } from '../command.ts'
import { answered, touched } from '../schemas/answers.ts'
import { membership, targetOf } from '../schemas/target.ts'

export const subscribe = defineCommand({
  name: 'subscribe',
  summary: 'Subscribe a user or a session to a channel',
  tag: 'Sessions',
  body: membership,
  answer: touched,
  run: async ({ application }, body) => answered(await application.subscribeUser(targetOf(body), body.channel)),
})
