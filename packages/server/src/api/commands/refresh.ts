import { defineCommand } from '../command.ts'
import { answered, touched } from '../schemas/answers.ts'
import { renewal, targetOf } from '../schemas/target.ts'

export const refresh = defineCommand({
  name: 'refresh',
  summary: 'Give a user or a session another time to live',
  description:
    'Replaces the end that came with their tokens: clients have to send a newer token by then. With 0 they are told `token_expired` at ' +
    'once, and their sessions wait for them to come back with one.',
  tag: 'Sessions',
  body: renewal,
  answer: touched,
  run: async ({ application }, body) =>
    answered(await application.refreshUser(targetOf(body), body.expiresInMs === null ? undefined : body.expiresInMs)),
})
