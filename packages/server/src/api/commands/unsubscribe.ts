import { defineCommand } from '../command.ts'
import { answered, touched } from '../schemas/answers.ts'
import { membership, targetOf } from '../schemas/target.ts'

export const unsubscribe = defineCommand({
  name: 'unsubscribe',
  summary: 'End the subscription of a user or a session to a channel',
  tag: 'Sessions',
  body: membership,
  answer: touched,
  run: async ({ application }, body) => answered(await application.unsubscribeUser(targetOf(body), body.channel)),
})
