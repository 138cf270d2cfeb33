// The entry of what makes tokens: a backend that serves nothing itself loads no more of the package.
export type { Capability } from '@fusewire/engine'
export { type ChannelToken, type ConnectToken, type SigningKey, type SigningOptions, signToken } from './auth/sign-token.ts'
export { ConfigurationError } from './config/configuration-error.ts'
