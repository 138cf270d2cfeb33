import { ClientError } from '@fusewire/client'
import { ENVIRONMENT } from '../environment-names.ts'
import { CommandError } from '../exit-code.ts'

const ADVICE: Readonly<Record<string, string>> = {
  token_required: `Give one with --token or ${ENVIRONMENT.token}; "fusewire token --user <id>" makes it.`,
  token_invalid: 'Was it made with the key of this server? "fusewire token --user <id>" makes one from its configuration.',
  token_expired: '"fusewire token --user <id>" makes a new one.',
  permission_denied: `A rule of the channel, or a token with --cap '<channel>=subscribe', would allow it.`,
  unsupported_transport: "Leave --transport out, or turn it on in the server's transports.",
}

/** Says in plain words what the server or the SDK has refused, and what to do. */
export const explainRefusal = (error: unknown): unknown => {
  if (!(error instanceof ClientError)) return error
  const advice = ADVICE[error.code]
  const message = /[.!?]$/u.test(error.message) ? error.message : `${error.message}.`
  return new CommandError(`${message}${advice ? ` ${advice}` : ''} (${error.code})`, undefined, { cause: error })
}
