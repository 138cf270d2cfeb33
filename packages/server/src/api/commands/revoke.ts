import { defineCommand } from '../command.ts'
import { answered, touched } from '../schemas/answers.ts'
import { revocation, revocationTargetOf } from '../schemas/revocation.ts'

export const revoke = defineCommand({
  name: 'revoke',
  summary: 'Revoke a token, or the tokens of a user',
  description:
    'Takes effect at once: sessions and subscriptions that were made with these tokens end with `token_revoked`, and the tokens are ' +
    'refused from now on. Answers with the number of sessions that have ended.',
  tag: 'Sessions',
  body: revocation,
  answer: touched,
  run: async ({ application }, body) => {
    const { expiresInMs } = body
    return answered(await application.revoke(revocationTargetOf(body), expiresInMs === undefined ? {} : { expiresInMs }))
  },
})
