import { z } from 'zod'
import { flag, OPTION_NOTES, text } from './option-notes.ts'

/** Certificates. */
export const tlsOptions = {
  tls: flag('Listen with TLS on `port`.', true),
  tlsCertFile: text('Certificate chain, PEM. Without it a development certificate is made and kept in certificateDir.', {
    path: true,
    example: '/etc/fusewire/tls.crt',
  }),
  tlsKeyFile: text('Private key of the certificate, PEM.', { path: true, example: '/etc/fusewire/tls.key' }),
  tlsClientCaFile: text(
    'Authorities of client certificates, PEM. When given, clients without a certificate are refused (mutual TLS).',
    {
      path: true,
      example: '/etc/fusewire/clients-ca.crt',
    },
  ),
  tlsMinVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2').describe('Oldest TLS version that is spoken.'),
  certificateDir: z
    .string()
    .min(1)
    .default('.fusewire')
    .describe('Folder in which the development certificate is kept.')
    .register(OPTION_NOTES, { path: true }),
}
