import { CommandError } from '../exit-code.ts'

const codeOf = (error: unknown): string => {
  for (let at = error; at instanceof Error; at = at.cause) if ('code' in at && typeof at.code === 'string') return at.code
  return ''
}

const TRUST =
  'If it is a development server on this machine, run this in the folder that it was started in; otherwise name its certificate with --ca, or go without the check with --insecure.'

const explain = (code: string, url: string, error: unknown): string => {
  switch (code) {
    case 'ECONNREFUSED':
      return `Nothing listens at ${url}. Start a server with "fusewire serve", or name another one with --url.`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `There is no host called ${new URL(url).hostname}. Correct --url, or the network's name service.`
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `${url} cannot be reached from here. Check the address, the network and firewalls in between.`
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `The certificate of ${url} comes from nobody who is trusted here. ${TRUST}`
    case 'CERT_HAS_EXPIRED':
      return `The certificate of ${url} has expired. Renew it on the server.`
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `The certificate of ${url} is made out to other names than ${new URL(url).hostname}. Use one of its names in --url.`
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return `${url} does not speak TLS. If that is right, write it with http://.`
    case 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED':
      return `${url} takes only clients with a certificate of their own (tlsClientCaFile), which this command cannot show.`
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return `${url} ended the connection without an answer. Is it a Fusewire server, and does it speak ${new URL(url).protocol === 'https:' ? 'TLS' : 'cleartext'} there?`
    default: {
      const reason = error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error)
      // It has no code.
      if (reason === 'bad port')
        return `Port ${new URL(url).port} is one that fetch and browsers refuse, because another protocol has it (https://fetch.spec.whatwg.org/#port-blocking). Give the server another one, and name it with --url.`
      return `${url} could not be asked: ${reason}`
    }
  }
}

/** Says in plain words why a server could not be reached, and what to do. */
export const explainNetworkError = (error: unknown, url: string): CommandError =>
  error instanceof CommandError ? error : new CommandError(explain(codeOf(error), url, error), undefined, { cause: error })
