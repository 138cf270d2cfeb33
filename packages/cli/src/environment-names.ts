/** Environment variables of the commands, besides those of the server's options. */
export const ENVIRONMENT = {
  /** The configuration file of `serve`, `check-config` and `token`. */
  config: 'FUSEWIRE_CONFIG',
  url: 'FUSEWIRE_URL',
  token: 'FUSEWIRE_TOKEN',
  apiKey: 'FUSEWIRE_API_KEY',
  ca: 'FUSEWIRE_CA',
} as const
