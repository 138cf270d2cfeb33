import { closeAction, ERRORS, type ErrorEntry, type FusewireError } from '@fusewire/protocol'

/** Whether it is a token that is missing or was refused, so that another one may be right. */
export const isTokenError = ({ code }: FusewireError): boolean => {
  const { closeCode }: ErrorEntry = ERRORS[code]
  return closeCode !== undefined && closeAction(closeCode) === 'authenticate'
}
