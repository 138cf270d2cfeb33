import { ClientError } from '@fusewire/client'
import { ENVIRONMENT } from '../environment-names.ts'
import { CommandError } from '../exit-code.ts'

const ADVICE: Readonly<Record<string, string>> = {
  token_required: `Give one with --token or ${ENVIRONMENT.token}; "fusewire token --user <id>" makes it.`,
  token_invalid: 'Where the server has a jwtSecret, "fusewire token --user <id>" makes one from its configuration.',
  token_expired: '"fusewire token --user <id>" makes a new one.',
  permission_denied: `A rule of the channel, or a token with --cap '<channel>=subscribe', would allow it.`,
  unreachable: 'The server answers, but not over this transport; a proxy in between may be in the way. Try another --transport.',
  unsupported_transport: "Leave --transport out, or turn it on in the server's transports.",
}

/** Says in plain words what the server or the SDK has refused, and what to do. */
export const explainRefusal = (error: unknown): unknown => {
  if (!(error instanceof ClientError)) return error
  const advice = ADVICE[error.code]
  const said = error.message
  const message = `${said[0]?.toUpperCase()}${said.slice(1)} (${error.code}).`.replace(/[.!?] \(/u, ' (')
  return new CommandError(advice === undefined ? message : `${message} ${advice}`, undefined, { cause: error })
}
