import { defineCommand } from '../command.ts'
import { answered, touched } from '../schemas/answers.ts'
import { target, targetOf } from '../schemas/target.ts'

export const disconnect = defineCommand({
  name: 'disconnect',
  summary: 'End the sessions of a user, or one session',
  tag: 'Sessions',
  body: target,
  answer: touched,
  run: async ({ application }, body) => answered(await application.disconnectUser(targetOf(body))),
})
