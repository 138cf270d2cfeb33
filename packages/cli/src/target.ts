import { type Command, Option } from 'commander'
import { CommandError, EXIT } from './exit-code.ts'

/** Whom a command is about. */
export interface TargetFlags {
  readonly user?: string
  readonly session?: string
}

export const addTargetOptions = (command: Command): Command =>
  command
    .addOption(new Option('--user <id>', 'all sessions of this user, on whichever node they are').conflicts('session'))
    .addOption(new Option('--session <id>', 'this session alone'))

/** `{ user }` or `{ session }`, as the API takes it. Throws a {@link CommandError} when nobody is named. */
export const targetOf = ({ user, session }: TargetFlags): TargetFlags => {
  if (user === undefined && session === undefined)
    throw new CommandError('Whom? Give --user for all sessions of a user, or --session for one.', EXIT.usage)
  return user === undefined ? { session: session ?? '' } : { user }
}
